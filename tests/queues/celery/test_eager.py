"""`task_always_eager`: `enqueue` runs the job here and now, and its state and result are there."""

import pytest
from redis import Redis

from continuable.conformance.engine import folder_of
from continuable.conformance.jobs import ROWS
from continuable.conformance.journal import Journal
from continuable.errors import JobFailedError
from continuable.model.states import State
from tests.queues.celery import project_on_settings
from tests.waiting import DEADLINE

APP = f"{project_on_settings.__name__}:celery_app"
# Celery's own backend, in a process of the tests.
pytestmark = pytest.mark.filterwarnings("ignore:Call to deprecated setex")
EAGER = {"task_always_eager": True, "task_store_eager_result": True}


@pytest.fixture
def eager(worker_environment, redis_server):
    with Redis.from_url(redis_server.url) as client:
        client.flushall()
    return project_on_settings.make(EAGER)


def test_a_job_is_run_once_and_has_its_state_and_result(eager, folder, journal):
    journal.release()
    handle = eager.copy_rows.enqueue(folder)
    info = handle.info()
    assert (info.state, info.executions, info.cursor) == (State.COMPLETED, 1, None)
    assert handle.result(timeout=0) == ROWS
    assert journal.rows == list(range(ROWS))
    assert eager.celery_app.AsyncResult(handle.id).get(timeout=DEADLINE) == ROWS


def test_an_async_job_is_run_too(eager, folder, journal):
    journal.release()
    assert eager.acopy_rows.enqueue(folder).result(timeout=0) == ROWS


@pytest.mark.slow
def test_no_worker_runs_it_again(eager, folder, start_worker, tmp_path):
    handle = eager.note_that_it_ran.enqueue(folder, "ran")
    assert eager.app.queue.store.recover() == []
    start_worker("threads", app=APP)
    behind = project_on_settings.make({}).note_that_it_ran
    assert behind.enqueue(str(folder_of(tmp_path, "behind")), "ran").result(DEADLINE) == "ran"
    assert len(Journal(folder).begins) == 1
    assert handle.info().executions == 1


def test_interruptions_resume_at_once(eager, folder, journal):
    assert eager.run_isolated_steps.enqueue(folder).state() is State.COMPLETED
    assert len(journal.begins) == 4


def test_a_failure_is_kept(eager, folder, journal):
    handle = eager.fail.enqueue(folder, 1)
    with pytest.raises(JobFailedError, match="no luck"):
        handle.result(timeout=0)
    assert eager.celery_app.AsyncResult(handle.id).failed()


def test_a_failure_is_raised_and_kept_where_celery_is_to_raise_it(folder, worker_environment):
    eager = project_on_settings.make(EAGER | {"task_eager_propagates": True})
    job = eager.fail.using(id="job-1")
    with pytest.raises(ValueError, match="no luck"):
        job.enqueue(folder, 1)
    assert eager.app.handle("job-1").state() is State.FAILED


def test_several_jobs_are_run_one_after_the_other(eager, tmp_path):
    folders = [str(folder_of(tmp_path, f"job-{number}")) for number in range(3)]
    handles = [eager.note_that_it_ran.enqueue(there, "ran") for there in folders]
    assert [handle.result(timeout=0) for handle in handles] == ["ran"] * 3


def test_celerys_own_retries_are_run_too(worker_environment, folder, redis_server):
    with Redis.from_url(redis_server.url) as client:
        client.flushall()
    retries = {"*": {"autoretry_for": (ValueError,), "retry_kwargs": {"countdown": 0}}}
    eager = project_on_settings.make(EAGER, retries)
    handle = eager.fail.enqueue(folder, 1)
    assert handle.result(timeout=0) == "well"
