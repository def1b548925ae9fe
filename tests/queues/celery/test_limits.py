"""Time limits, lone signals, and what a job keeps of its message."""

import os
import signal

import pytest

from continuable.conformance.jobs import ROWS
from continuable.model.states import State
from tests.queues.celery.conftest import await_hold
from tests.waiting import DEADLINE, until

pytestmark = pytest.mark.slow


def test_a_job_that_is_killed_for_its_time_resumes(project, start_worker, folder, journal):
    task = project.app.queue.task(project.copy_rows)
    result = task.apply_async((folder,), time_limit=6)
    worker = start_worker("prefork")
    await_hold(journal)
    until(lambda: len(journal.begins) == 2, "another execution")
    journal.release()
    assert project.app.handle(result.id).result(timeout=DEADLINE) == ROWS, worker.log
    assert journal.rows == list(range(ROWS))


def test_a_job_keeps_what_its_message_had(project, start_worker, folder, journal):
    task = project.app.queue.task(project.describe_message)
    result = task.apply_async(
        (folder,),
        priority=4,
        queue="elsewhere",
        headers={"tenant": "acme"},
        expires=3600,
        soft_time_limit=500,
        time_limit=600,
        shadow="another name",
    )
    start_worker("threads")
    first, second = result.get(timeout=DEADLINE)
    assert first["headers"] == {"tenant": "acme"}
    assert first["delivery_info"]["routing_key"] == "elsewhere"
    assert first.pop("expires")
    assert second.pop("expires") is None  # that said when it was to start
    assert first == second


def test_a_pool_process_that_is_terminated_alone_hands_its_job_over_and_lives(
    project, start_worker, folder, journal
):
    handle = project.copy_rows.enqueue(folder)
    worker = start_worker("prefork")
    await_hold(journal)
    os.kill(journal.begins[0].pid, signal.SIGTERM)
    until(lambda: len(journal.begins) == 2, "another execution")
    journal.release()
    assert handle.result(timeout=DEADLINE) == ROWS, worker.log
    assert handle.info().reason == "stopping"
    assert handle.state() is State.COMPLETED
    assert {entry.pid for entry in journal.entries} == {journal.begins[0].pid}
