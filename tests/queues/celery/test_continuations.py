"""What was said of the first message of a job does not hold for those that resume it."""

import signal
import time

import pytest
from celery.exceptions import TaskRevokedError
from redis import Redis

from continuable.conformance.jobs import HELD_AT, ROWS
from continuable.errors import QueueError
from continuable.model.states import State
from tests.queues.celery import project_on_settings
from tests.queues.celery.conftest import await_hold
from tests.queues.celery.test_deliveries import restore_unacknowledged
from tests.waiting import DEADLINE, until

APP = f"{project_on_settings.__name__}:celery_app"
EXPIRES = 3.0
"""Seconds."""


@pytest.fixture
def make(worker_environment, redis_server):
    with Redis.from_url(redis_server.url) as client:
        client.flushall()
    return project_on_settings.make


def await_expiry(since):
    until(lambda: time.time() > since + EXPIRES + 1, "the expiry")


# --- expires


@pytest.mark.slow
@pytest.mark.parametrize("said_by", ["message", "task"])
def test_an_interrupted_job_does_not_expire(make, start_worker, folder, journal, said_by):
    settings = {}
    if said_by == "task":
        settings = {"task_annotations": {"*": {"expires": EXPIRES}}}
    chosen = make(settings)
    worker = start_worker("threads", settings=settings, app=APP)
    until(lambda: "ready." in worker.log, "the worker")
    sent_at = time.time()
    options = {"expires": EXPIRES} if said_by == "message" else {}
    result = chosen.app.queue.task(chosen.copy_rows).apply_async((folder,), **options)
    await_hold(journal)
    worker.signal_main(signal.SIGTERM)
    worker.wait()
    await_expiry(sent_at)
    journal.release()
    worker = start_worker("threads", settings=settings, app=APP)
    assert chosen.app.handle(result.id).result(timeout=DEADLINE) == ROWS, worker.log
    assert len(journal.begins) == 2


@pytest.mark.slow
def test_a_running_job_does_not_expire_with_a_second_delivery(
    project, start_worker, folder, journal
):
    worker = start_worker("threads")
    until(lambda: "ready." in worker.log, "the worker")
    sent_at = time.time()
    task = project.app.queue.task(project.copy_rows)
    result = task.apply_async((folder,), expires=EXPIRES)
    await_hold(journal)
    await_expiry(sent_at)
    restore_unacknowledged(project)
    second = start_worker("threads")
    until(lambda: "received" in second.log, "the second delivery")
    journal.release()
    assert project.app.handle(result.id).result(timeout=DEADLINE) == ROWS, worker.log
    assert result.get(timeout=DEADLINE) == ROWS
    assert "Discarding revoked task" not in second.log
    assert len(journal.begins) == 1


@pytest.mark.slow
def test_a_job_that_has_expired_before_its_start_says_so(make, start_worker, folder, journal):
    settings = {"task_annotations": {"*": {"expires": EXPIRES}}}
    chosen = make(settings)
    handle = chosen.note_that_it_ran.enqueue(folder, "ran")
    await_expiry(time.time())
    worker = start_worker("threads", settings=settings, app=APP)
    until(lambda: handle.state() is State.CANCELLED, worker.log)
    assert (handle.info().reason, journal.begins) == ("expired", [])
    with pytest.raises(TaskRevokedError, match="expired"):
        chosen.celery_app.AsyncResult(handle.id).get(timeout=DEADLINE)


# --- base classes that let a call be queued once


@pytest.mark.slow
@pytest.mark.parametrize("base", ["once", "once gracefully"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_resumption_is_no_duplicate(make, start_worker, folder, journal, base, number):
    settings = {"base": base}
    chosen = make(settings)
    handle = chosen.copy_rows.enqueue(folder)
    worker = start_worker("threads", settings=settings, app=APP)
    await_hold(journal)
    until(lambda: handle.info().cursor == HELD_AT, "the save of where it waits")
    worker.signal_main(number)
    worker.wait()
    journal.release()
    refused = QueueError if base == "once gracefully" else project_on_settings.AlreadyQueuedError
    with pytest.raises(refused):
        chosen.copy_rows.enqueue(folder)
    worker = start_worker("threads", settings=settings, app=APP)
    assert handle.result(timeout=DEADLINE) == ROWS, worker.log
    assert len(journal.begins) == 2
    result = chosen.celery_app.AsyncResult(handle.id)
    assert result.get(timeout=DEADLINE) == ROWS
    until(lambda: is_free(chosen, folder), "the end of its lock")
    assert len(chosen.app.queue.board.list()) == 1  # what was refused is not there


def is_free(chosen, folder):
    with Redis.from_url(project_on_settings.place()) as client:
        return not client.exists(f'once:{chosen.copy_rows.name}:["{folder}"]')
