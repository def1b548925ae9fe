"""Time limits, lone signals, and what a job keeps of its message."""

import os
import signal
from pathlib import Path

import pytest
from celery.states import FAILURE

from continuable.conformance.engine import folder_of
from continuable.conformance.jobs import HELD_AT, ROWS
from continuable.errors import JobFailedError
from continuable.model.states import State
from tests.queues.celery.conftest import await_hold
from tests.waiting import DEADLINE, until

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("limit", ["time_limit", "soft_time_limit"])
@pytest.mark.parametrize("said_by", ["message", "task"])
def test_a_job_is_interrupted_before_its_time_is_over(
    project, start_worker, folder, journal, limit, said_by
):
    task, seconds = project.app.queue.task(project.copy_rows), {limit: 6}
    settings = {"task_annotations": {"*": seconds}} if said_by == "task" else None
    result = task.apply_async((folder,), **(seconds if said_by == "message" else {}))
    handle = project.app.handle(result.id)
    worker = start_worker("prefork", settings=settings)
    await_hold(journal)
    until(lambda: len(journal.begins) == 2, "another execution")
    info = handle.info()
    assert (info.reason, info.resumptions, info.deaths) == ("max_runtime", 0, 0)
    journal.release()
    assert handle.result(timeout=DEADLINE) == ROWS, worker.log
    assert journal.rows == list(range(ROWS))
    assert "time limit" not in worker.log


def test_a_job_without_checkpoints_is_killed_for_its_time_and_resumes(
    project, start_worker, folder, journal
):
    Path(folder, "block").touch()
    task = project.app.queue.task(project.go_without_checkpoint)
    errback = project.note_failure.s(folder=folder)
    result = task.apply_async((folder,), time_limit=4, link_error=errback)
    worker = start_worker("prefork")
    shown = set()

    def is_back():
        shown.add(result.state)
        return len(journal.begins) == 2

    until(is_back, "another execution")
    journal.release()
    handle = project.app.handle(result.id)
    assert handle.result(timeout=DEADLINE) == HELD_AT, worker.log
    assert result.get(timeout=DEADLINE) == HELD_AT
    assert FAILURE not in shown
    assert not Path(folder, "failures").exists()
    assert handle.info().reason == "died"


@pytest.mark.parametrize("pool", ["prefork", "threads", "solo"])
def test_a_job_that_leaves_by_sys_exit_has_failed_at_once(
    project, start_worker, folder, tmp_path, pool
):
    handle = project.leave.enqueue(folder)
    worker = start_worker(pool)
    with pytest.raises(JobFailedError, match="SystemExit: 3"):
        handle.result(timeout=DEADLINE)
    with pytest.raises(JobFailedError, match="SystemExit: 3"):
        project.celery_app.AsyncResult(handle.id).get(timeout=DEADLINE)
    behind = project.note_that_it_ran.enqueue(str(folder_of(tmp_path, "behind")), "ran")
    assert behind.result(timeout=DEADLINE) == "ran", worker.log
    assert handle.info().executions == 1


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
