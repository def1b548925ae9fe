"""`revoke` cancels a job, wherever it is, and Celery and the job tell the same reason."""

import json
from pathlib import Path

import pytest
from celery.exceptions import TaskRevokedError
from celery.states import REVOKED

from continuable.conformance.engine import folder_of
from continuable.conformance.jobs import HELD_AT
from continuable.conformance.journal import Journal
from continuable.model.states import State
from tests.queues.celery.conftest import await_hold
from tests.waiting import DEADLINE, until


def signals_of(folder):
    """What `task_revoked` has told, from all processes."""
    return [json.loads(line) for line in Path(folder, "revoked").read_text().splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize("pool", ["prefork", "threads"])
@pytest.mark.parametrize("terminate", [False, True])
def test_a_running_job_that_is_revoked_is_cancelled_at_its_next_checkpoint(
    project, start_worker, folder, journal, tmp_path, pool, terminate
):
    worker = start_worker(pool)
    until(lambda: "ready." in worker.log, "a worker that hears commands")
    handle = project.copy_rows.enqueue(folder)
    result = project.celery_app.AsyncResult(handle.id)
    await_hold(journal)
    until(lambda: handle.info().cursor == HELD_AT, "the save of where it waits")
    project.celery_app.control.revoke(handle.id, terminate=terminate)
    worker.until(lambda: handle.state() is State.CANCELLED, "the end of the job")
    reason = "terminated" if terminate else "revoked"
    assert handle.info().reason == reason
    with pytest.raises(TaskRevokedError, match=reason):
        result.get(timeout=DEADLINE)
    behind = project.note_that_it_ran.enqueue(str(folder_of(tmp_path, "behind")), "ran")
    assert behind.result(timeout=DEADLINE) == "ran", worker.log
    assert result.state == REVOKED
    assert len(journal.begins) == 1
    told = {(entry["id"], entry["expired"]) for entry in signals_of(folder)}
    assert told == {(handle.id, False)}


@pytest.mark.slow
def test_a_terminated_job_is_revoked_every_time(project, start_worker, tmp_path):
    worker = start_worker("prefork")
    until(lambda: "ready." in worker.log, "a worker that hears commands")
    for number in range(6):
        there = str(folder_of(tmp_path, f"job-{number}"))
        handle = project.copy_rows.enqueue(there)
        await_hold(Journal(there))
        project.celery_app.control.revoke(handle.id, terminate=True)
        result = project.celery_app.AsyncResult(handle.id)
        with pytest.raises(TaskRevokedError):
            result.get(timeout=DEADLINE)
        until(lambda handle=handle: handle.state() is State.CANCELLED, worker.log)
        assert result.state == REVOKED


@pytest.mark.slow
def test_a_waiting_job_that_is_revoked_does_not_run(
    project, start_worker, folder, journal, tmp_path
):
    worker = start_worker("threads")
    until(lambda: "ready." in worker.log, "a worker that hears commands")
    running = project.copy_rows.enqueue(folder)
    await_hold(journal)
    other = str(folder_of(tmp_path, "waiting"))
    handle = project.note_that_it_ran.enqueue(other, "ran")
    project.celery_app.control.revoke(handle.id, reply=True, timeout=5)
    journal.release()
    running.result(timeout=DEADLINE)
    until(lambda: handle.state() is State.CANCELLED, worker.log)
    assert handle.info().reason == "revoked"
    assert Journal(other).begins == []
