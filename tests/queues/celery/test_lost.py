"""Messages that Celery has lost on Redis, and messages that only take their time."""

import signal
import time
from contextlib import suppress

import pytest
from redis import Redis

from continuable.conformance.engine import folder_of
from continuable.conformance.jobs import LEASE, ROWS
from continuable.conformance.journal import Journal
from continuable.errors import JobStateError, QueueError
from continuable.model.states import State
from continuable.queues.celery.lost import PRECISION
from tests.queues.celery.conftest import OLDER, await_hold
from tests.waiting import DEADLINE, until

pytestmark = pytest.mark.slow

UNKNOWN = "Received unregistered task"
"""What Celery writes of a task that a worker does not know."""


@pytest.fixture
def lose_messages(redis_server):
    """As a worker does that dies between taking a message and noting that it has it."""

    def lose():
        with Redis.from_url(redis_server.url) as client:
            assert client.delete(*client.keys("celery*"))

    return lose


@pytest.fixture
def purge(project):
    """As `celery purge` does."""
    return project.celery_app.control.purge


@pytest.fixture
def kill_worker(start_worker):
    """Kills a worker of another queue, which dies as one that has just taken a message."""

    def kill():
        victim = start_worker(queues="another")
        victim.until(lambda: "ready" in victim.log, "the start of the worker")
        victim.signal_all(signal.SIGKILL)
        victim.wait()

    return kill


def test_a_waiting_job_whose_message_a_dying_worker_took_is_sent_again(
    project, start_worker, kill_worker, lose_messages, folder
):
    handle = project.note_that_it_ran.enqueue(folder, "ran")
    kill_worker()
    lose_messages()
    start_worker()
    assert handle.result(timeout=DEADLINE) == "ran"


def test_an_interrupted_job_whose_message_a_dying_worker_took_goes_on(
    project, start_worker, kill_worker, lose_messages, journal, folder
):
    handle = project.copy_rows.enqueue(folder)
    first = start_worker()
    await_hold(journal)
    first.signal_main(signal.SIGTERM)
    first.wait()
    kill_worker()
    lose_messages()
    journal.release()
    start_worker()
    assert handle.result(timeout=DEADLINE) == ROWS
    assert journal.rows == list(range(ROWS))


def test_a_job_whose_message_a_server_has_forgotten_is_sent_again(
    project, start_worker, lose_messages, redis_server, folder
):
    handle = project.note_that_it_ran.enqueue(folder, "ran")
    lose_messages()
    redis_server.restart()
    start_worker()
    assert handle.result(timeout=DEADLINE) == "ran"


def test_a_job_that_an_older_worker_does_not_know_waits_for_one_that_does(
    project, start_worker, monkeypatch, folder
):
    monkeypatch.setenv(OLDER, "yes")
    older = start_worker()
    handle = project.note_that_it_ran.enqueue(folder, "ran")
    older.until(lambda: older.log.count(UNKNOWN) >= 2, "another try")
    monkeypatch.delenv(OLDER)
    start_worker()
    assert handle.result(timeout=DEADLINE) == "ran"
    assert len(Journal(folder).begins) == 1


def test_a_job_that_a_worker_without_this_library_does_not_know_is_sent_again(
    project, start_worker, folder
):
    other = start_worker(app="tests.queues.celery.project_without_jobs:celery_app")
    handle = project.note_that_it_ran.enqueue(folder, "ran")
    other.until(lambda: UNKNOWN in other.log, "its first try")
    other.signal_main(signal.SIGTERM)
    other.wait()
    start_worker()
    assert handle.result(timeout=DEADLINE) == "ran"


def test_a_purged_job_is_lost_and_can_be_retried(
    project, start_worker, purge, redis_server, tmp_path
):
    with redis_server.connected() as client:  # which has not just been started
        until(lambda: client.info("server")["uptime_in_seconds"] > 2 * PRECISION)
    handles = [
        project.note_that_it_ran.enqueue(str(folder_of(tmp_path, name)), "ran")
        for name in ("purged", "discarded")
    ]
    assert purge() == len(handles)
    worker = start_worker()
    worker.until(
        lambda: [handle.state() for handle in handles] == [State.FAILED] * 2, "the loss of both"
    )
    assert [handle.info().reason for handle in handles] == ["lost"] * 2
    assert not any(Journal(tmp_path / name).begins for name in ("purged", "discarded"))
    assert handles[1].discard().reason == "lost"
    handles[0].retry()
    assert handles[0].result(timeout=DEADLINE) == "ran"
    assert Journal(tmp_path / "discarded").begins == []


def test_a_cancelled_job_is_discarded_once_its_message_is_gone(project, start_worker, folder):
    handle = project.note_that_it_ran.enqueue(folder, "ran")
    with pytest.raises(JobStateError, match="it is waiting"):
        handle.discard()
    handle.cancel()
    with pytest.raises(QueueError, match="its message may be on the queue still"):
        handle.discard()
    worker = start_worker()

    def is_discarded():
        with suppress(QueueError):
            handle.discard()
        return handle.id not in {job.id for job in project.app.queue.board.list()}

    worker.until(is_discarded, "the end of its message")
    assert Journal(folder).begins == []


def test_jobs_that_wait_for_their_turn_are_not_sent_again(
    project, start_worker, journal, folder, tmp_path
):
    running = project.copy_rows.enqueue(folder)
    folders = [str(folder_of(tmp_path, f"behind-{number}")) for number in range(3)]
    behind = [project.note_that_it_ran.enqueue(there, "ran") for there in folders]
    delayed = project.note_that_it_ran.using(wait=2 * LEASE).enqueue(
        str(folder_of(tmp_path, "delayed")), "ran"
    )
    start_worker()
    await_hold(journal)
    time.sleep(1.5 * LEASE)  # some looks
    journal.release()
    for handle in [running, *behind, delayed]:
        handle.result(timeout=DEADLINE)
        assert handle.state() is State.COMPLETED
        told = project.app.queue.board.history(handle.id)
        assert "job.restarted" not in [entry.event for entry in told]
    assert [len(Journal(there).begins) for there in folders] == [1, 1, 1]
