"""Every way in which Celery stops a worker: progress is kept in each."""

import signal
from pathlib import Path

import pytest

from continuable.conformance.jobs import HELD_AT, ROWS
from continuable.model.states import State
from tests.queues.celery.conftest import await_hold
from tests.waiting import DEADLINE, until

pytestmark = pytest.mark.slow


@pytest.fixture
def handle(project, folder):
    return project.copy_rows.enqueue(folder)


def assert_handed_over(handle, worker):
    info = handle.info()
    assert (info.state, info.reason) == (State.INTERRUPTED, "stopping"), worker.log
    assert (info.executions, info.resumptions) == (1, 1)


def assert_resumes(handle, journal, start_worker):
    journal.release()
    start_worker("threads")
    assert handle.result(timeout=DEADLINE) == ROWS
    assert journal.rows == list(range(ROWS))
    assert not journal.runs_overlap


@pytest.mark.parametrize("whom", ["main", "all"])
def test_a_pool_whose_processes_are_spawned_hands_jobs_over(handle, start_worker, journal, whom):
    worker = start_worker("spawn")
    await_hold(journal)
    (worker.signal_main if whom == "main" else worker.signal_all)(signal.SIGTERM)
    assert worker.wait() == 0, worker.log
    assert_handed_over(handle, worker)
    assert_resumes(handle, journal, start_worker)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_a_soft_shutdown_hands_jobs_over(handle, start_worker, journal, number):
    worker = start_worker(settings={"worker_soft_shutdown_timeout": 3.0})
    await_hold(journal)
    worker.signal_main(number)
    worker.wait()
    assert_handed_over(handle, worker)
    assert_resumes(handle, journal, start_worker)


def test_sigterm_that_is_remapped_to_a_cold_shutdown_hands_jobs_over(
    handle, start_worker, journal, worker_environment, monkeypatch
):
    monkeypatch.setenv("REMAP_SIGTERM", "SIGQUIT")
    worker = start_worker(settings={"worker_soft_shutdown_timeout": 3.0})
    await_hold(journal)
    worker.signal_main(signal.SIGTERM)
    worker.wait()
    monkeypatch.delenv("REMAP_SIGTERM")
    assert_handed_over(handle, worker)
    assert_resumes(handle, journal, start_worker)


def test_a_cold_shutdown_costs_no_more_than_a_kill(handle, start_worker, journal):
    worker = start_worker()
    await_hold(journal)
    until(lambda: handle.info().cursor == HELD_AT, "the save of where it waits")
    worker.signal_main(signal.SIGQUIT)
    worker.wait()
    assert_resumes(handle, journal, start_worker)


def test_a_cold_shutdown_ends_a_job_that_comes_to_no_checkpoint(
    project, start_worker, journal, folder
):
    handle = project.block.enqueue(folder)
    worker = start_worker()
    until(lambda: journal.rows and handle.info().cursor == 3, "a save")
    Path(folder, "block").touch()
    until(lambda: journal.entries[-1].what == "blocked", "the job, blocked")
    worker.signal_main(signal.SIGQUIT)
    worker.wait()
    journal.release()
    start_worker("threads")
    assert handle.result(timeout=DEADLINE) is None
    assert journal.rows == [0, 1, 2]


@pytest.mark.parametrize("kind", ["prefork", "threads", "gevent"])
def test_a_shutdown_by_remote_control_hands_jobs_over(project, handle, start_worker, journal, kind):
    worker = start_worker(kind)
    await_hold(journal)
    project.celery_app.control.shutdown()
    assert worker.wait() == 0, worker.log
    assert_handed_over(handle, worker)
    assert_resumes(handle, journal, start_worker)


def test_a_job_that_comes_to_no_checkpoint_resumes_at_its_last_save(
    project, start_worker, journal, folder
):
    handle = project.block.enqueue(folder)
    worker = start_worker()
    until(lambda: journal.rows and handle.info().cursor == 3, "a save")
    Path(folder, "block").touch()
    until(lambda: journal.entries[-1].what == "blocked", "the job, blocked")
    worker.signal_main(signal.SIGTERM)
    worker.signal_all(signal.SIGKILL)  # as when the grace is over
    worker.wait()
    journal.release()
    start_worker("threads")
    assert handle.result(timeout=DEADLINE) is None
    assert journal.rows == [0, 1, 2]


def test_a_job_without_a_store_takes_its_progress_along(start_worker, journal, folder, project):
    result = project.unstored.queue.task(project.copy_unstored).delay(folder)
    worker = start_worker()
    await_hold(journal)
    worker.signal_all(signal.SIGTERM)
    assert worker.wait() == 0, worker.log
    journal.release()
    start_worker("threads")
    assert result.get(timeout=DEADLINE) == ROWS
    assert journal.rows == list(range(ROWS))
