"""A rolling deploy: workers of the release before are sent jobs that only the next one has."""

import time
from importlib import import_module

import pytest
from rq.job import Job, JobStatus

from continuable.queues.rq import unknown
from continuable.queues.rq.message import SPARE_RETRIES
from tests.waiting import DEADLINE

pytestmark = pytest.mark.slow


@pytest.fixture
def release(project):
    """The next release, in the tests' own process."""
    return import_module("tests.queues.rq.next_release")


@pytest.fixture
def tries(tmp_path):
    """Where workers of the release before note each try."""
    return tmp_path / "tries"


@pytest.fixture
def count(tries):
    """How many tries there were."""
    return lambda: len(tries.read_text().splitlines()) if tries.exists() else 0


def is_shown_as_failed(project, job_id):
    return job_id in project.app.queue.queue(None).failed_job_registry.get_job_ids()


@pytest.mark.parametrize("has_scheduler", [True, False], ids=["scheduler", "no scheduler"])
def test_a_job_waits_for_a_worker_that_knows_it_with_a_pause_between_tries(
    project, release, start, tmp_path, tries, count, has_scheduler
):
    handle = release.run_in_the_next_release.enqueue(str(tmp_path / "noted"))
    before = start(has_scheduler=has_scheduler, CONTINUABLE_TEST_TRIES=str(tries))
    before.until(lambda: count() >= 1, "a try")
    began = time.monotonic()
    before.until(lambda: count() >= 3, "two more")
    assert time.monotonic() - began > unknown.SHORT_PAUSE
    other = project.note_that_it_ran.enqueue(str(tmp_path), "ran")
    assert other.result(timeout=DEADLINE) == "ran"  # it has time for what it knows
    assert not is_shown_as_failed(project, handle.id)
    after = start(has_scheduler=has_scheduler)
    assert handle.result(timeout=DEADLINE) is None
    job = Job.fetch(handle.id, project.connection)
    after.until(lambda: job.get_status() is JobStatus.FINISHED, "its end in RQ")
    assert (tmp_path / "noted").read_text() == "ran\n"
    assert handle.info().executions == 1


def test_waiting_for_a_worker_that_knows_a_job_uses_up_nothing(
    project, release, start, tmp_path, tries, count
):
    handle = release.run_in_the_next_release.enqueue(str(tmp_path / "noted"))
    before = start(CONTINUABLE_TEST_TRIES=str(tries))
    before.until(lambda: count() >= 2, "two tries")
    job = Job.fetch(handle.id, project.connection)
    assert (job.retries_left, job.retry_intervals) == (SPARE_RETRIES, None)


def test_a_job_that_fails_by_itself_has_failed_at_once(project, work, tmp_path):
    handle = project.fail_to_import.enqueue()
    work()
    assert is_shown_as_failed(project, handle.id)
    assert "ModuleNotFoundError" in handle.info().error
