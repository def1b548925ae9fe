"""Redis hands out a message again although its job runs: the visibility timeout is shorter."""

import pytest

from continuable.conformance.engine import folder_of
from continuable.conformance.jobs import ROWS
from tests.queues.celery.conftest import await_hold
from tests.waiting import DEADLINE, until

pytestmark = pytest.mark.slow

SHORT = {
    "broker_transport_options": {
        "polling_interval": 0.05,
        "visibility_timeout": 1,
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
    }
}


def received(handle, *workers):
    """How often workers have been handed a message of a job."""
    return sum(worker.log.count(f"[{handle.id}] received") for worker in workers)


@pytest.mark.parametrize("kind", ["prefork", "threads"])
def test_a_job_that_is_longer_than_the_visibility_timeout_runs_once(
    project, start_worker, folder, journal, tmp_path, kind
):
    handle = project.copy_rows.enqueue(folder)
    first = start_worker(kind, settings=SHORT)
    await_hold(journal)
    second = start_worker(kind, settings=SHORT)
    until(lambda: received(handle, first, second) >= 3, "it is delivered again, and again")
    assert len(journal.begins) == 1
    journal.release()
    assert handle.result(timeout=DEADLINE) == ROWS
    assert project.celery_app.AsyncResult(handle.id).get(timeout=DEADLINE) == ROWS
    behind = project.note_that_it_ran.enqueue(str(folder_of(tmp_path, "behind")), "ran")
    assert behind.result(timeout=DEADLINE) == "ran"
    assert journal.rows == list(range(ROWS))
    assert len(journal.begins) == 1
    assert handle.info().executions == 1
