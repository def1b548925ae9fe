"""What RQ, its users and its dashboards see of jobs that come and go."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rq import Retry
from rq.job import Callback, Job, JobStatus

from continuable import App
from continuable.errors import QueueError
from continuable.model.payload import JobRecord
from continuable.model.states import State
from continuable.queues.consumer import Consumer, Finished
from continuable.queues.rq import RQQueue, sentry
from continuable.queues.rq.message import SPARE_RETRIES
from tests.waiting import DEADLINE


def lines(notes):
    """What jobs have written."""
    path = Path(notes)
    return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def queue(project):
    """RQ's default queue."""
    return project.app.queue.queue(None)


@pytest.fixture
def task(project):
    """The task of a job, by its name."""
    return lambda name: getattr(project, name).on_rq


def test_a_call_that_rq_enqueues_is_a_job_of_the_same_id(project, queue, task, work, notes):
    job = queue.enqueue(task("come_back"), notes, times=2)
    work()
    handle = project.app.handle(job.id)
    assert handle.result(timeout=0) == 2
    assert job.return_value() == 2
    assert handle.info().arguments == f'[["{notes}"],{{"times":2}}]'
    assert lines(notes) == ["0", "1"]


def test_the_task_is_the_queues_own_object_for_a_job(project):
    assert project.app.queue.task(project.come_back) is project.come_back.on_rq


def test_a_task_called_by_itself_runs_the_job_here_and_now(task, notes):
    assert task("come_back")(notes, 3) == 3


def test_what_depends_on_a_job_and_its_callbacks_run_once_after_its_real_end(
    project, queue, task, work, notes
):
    job = queue.enqueue(
        task("come_back"),
        notes,
        3,
        on_success=Callback(project.succeeded),
        on_failure=Callback(project.failed),
    )
    queue.enqueue(project.follow, notes, depends_on=job)
    work()
    assert lines(notes) == ["0", "1", "2", "succeeded with 3", "followed"]


def test_an_interruption_is_neither_a_failure_nor_a_retry_to_rq(project, queue, task, work, notes):
    job = queue.enqueue(task("come_back"), notes, 3, retry=Retry(2))
    worker = work()
    job.refresh()
    assert (job.get_status(), job.retries_left, job.number_of_retries) == ("finished", 2, None)
    assert [result.type.name for result in job.results()] == ["SUCCESSFUL"]
    worker.refresh()
    assert (worker.successful_job_count, worker.failed_job_count) == (1, 0)


def test_an_error_has_as_many_tries_as_the_user_has_given(project, queue, task, work, tmp_path):
    folder = tmp_path / "job"
    folder.mkdir()
    job = queue.enqueue(task("fail"), str(folder), 5, retry=Retry(2))
    work()
    assert project.app.handle(job.id).info().executions == 3
    assert job.get_status() is JobStatus.FAILED
    assert job.id in queue.failed_job_registry.get_job_ids()


def test_a_job_that_rq_retries_is_still_spared_if_its_process_is_killed(
    project, queue, task, work, tmp_path
):
    folder = tmp_path / "job"
    folder.mkdir()
    job = queue.enqueue(task("fail"), str(folder), 1, retry=Retry(2, interval=3600))
    work()
    job.refresh()
    assert (job.get_status(), job.retries_left) == (JobStatus.SCHEDULED, SPARE_RETRIES + 1)
    queue.scheduled_job_registry.remove(job)
    queue.enqueue_job(job)
    work()
    job.refresh()
    assert (job.get_status(), job.retries_left) == (JobStatus.FINISHED, 1)


def test_a_failed_job_that_a_person_requeues_runs_again(project, queue, task, work, tmp_path):
    folder = tmp_path / "job"
    folder.mkdir()
    job = queue.enqueue(task("fail"), str(folder), 1)
    work()
    assert job.get_status() is JobStatus.FAILED
    job.requeue()
    work()
    assert project.app.handle(job.id).result(timeout=0) == "well"
    assert job.get_status() is JobStatus.FINISHED


def test_a_job_that_had_ended_before_rq_could_be_told_ends_for_rq_too(
    project, queue, task, work, notes
):
    job = queue.enqueue(task("come_back"), notes, 0, on_success=Callback(project.succeeded))
    queue.enqueue(project.follow, notes, depends_on=job)
    record = JobRecord(id=job.id, name=project.come_back.name, arguments=f'[["{notes}",0],{{}}]')
    killed = Consumer(project.app.jobs, project.app.queue.store, project.app.queue.send)
    killed.start()
    assert isinstance(killed.run(record), Finished)
    killed.close()
    work()
    assert lines(notes) == ["succeeded with 0", "followed"]
    assert job.return_value() == 0


def test_a_job_that_is_given_up_is_cancelled_in_rq_and_nothing_follows(
    project, queue, task, work, notes
):
    job = queue.enqueue(task("give_up"), notes)
    after = queue.enqueue(project.follow, notes, depends_on=job)
    work()
    assert project.app.handle(job.id).state() is State.CANCELLED
    assert job.get_status() is JobStatus.CANCELED
    assert job.id in queue.canceled_job_registry.get_job_ids()
    assert (after.get_status(), lines(notes)) == (JobStatus.DEFERRED, [])


def test_a_paused_job_is_deferred_in_rq(project, queue, work, notes):
    handle = project.come_back.enqueue(notes, 1)
    handle.pause()
    work()
    assert Job.fetch(handle.id, project.connection).get_status() is JobStatus.DEFERRED
    assert handle.id in queue.deferred_job_registry.get_job_ids()
    handle.resume()
    work()
    assert handle.result(timeout=0) == 1
    assert handle.id not in queue.deferred_job_registry.get_job_ids()


def test_a_restart_after_rq_has_forgotten_the_job(project, work, notes):
    handle = project.come_back.enqueue(notes, 1)
    work()
    Job.fetch(handle.id, project.connection).delete()
    handle.restart()
    work()
    assert handle.result(timeout=0) == 1
    assert lines(notes) == ["0", "0"]


def test_a_wait_is_kept_where_no_scheduler_runs(project, work, notes):
    project.come_back_later.enqueue(notes)
    work()
    before, after = map(float, lines(notes))
    assert after - before >= 0.6


def test_the_meta_of_a_job_is_the_users_own(project, work, notes):
    handle = project.use_meta.enqueue(notes)
    project.app.handle(handle.id)
    work()
    assert handle.result(timeout=DEADLINE) == "42"
    assert Job.fetch(handle.id, project.connection).meta == {"mine": 42}


def test_a_job_without_a_store_resumes_from_its_message(project, queue, work, notes):
    handle = project.come_back_without_store.enqueue(notes, 3)
    work()
    assert lines(notes) == ["0", "1", "2"]
    assert Job.fetch(handle.id, project.connection).return_value() == 3
    with pytest.raises(QueueError, match="no store"):
        handle.state()


def test_the_sentry_is_gone_when_nothing_runs(project, work, notes):
    project.come_back.enqueue(notes, 1)
    work()
    assert not project.connection.keys(f"*{sentry.ID}*")


def test_a_job_that_cannot_begin_is_delivered_again(project, work, notes, monkeypatch):
    handle = project.come_back.enqueue(notes, 1)
    post = sentry.Sentry.post

    def fail_once(*_args):
        monkeypatch.setattr(sentry.Sentry, "post", post)
        raise ConnectionError

    monkeypatch.setattr(sentry.Sentry, "post", fail_once)
    work()
    assert (handle.result(timeout=0), handle.info().executions) == (1, 2)


def test_a_stop_just_behind_the_claim_is_not_counted(project, work, notes, monkeypatch):
    run = Consumer.run

    def run_told(self, record, **options):
        monkeypatch.setattr(Consumer, "run", run)
        self._stops_at = time.monotonic()
        try:
            return run(self, record, **options)
        finally:
            self._stops_at = None

    monkeypatch.setattr(Consumer, "run", run_told)
    handle = project.come_back.enqueue(notes, 1)
    work()
    assert (handle.result(timeout=0), handle.info().executions) == (1, 2)


def impossible(*_args, **_options):
    raise AssertionError


@given(st.lists(st.integers(-3, 3), max_size=12))
def test_a_queue_is_in_the_order_of_priorities(loaded_project, priorities):
    loaded_project.connection.flushall()
    queue = loaded_project.app.queue
    for number, priority in enumerate(priorities):
        record = JobRecord(id=str(number), name=loaded_project.come_back.name, priority=priority)
        queue.send(record, 0.0)
    expected = sorted(range(len(priorities)), key=lambda number: -priorities[number])
    assert queue.queue(None).job_ids == [str(number) for number in expected]


def test_the_jobs_that_rq_enqueues_have_the_priority_0(project, queue, notes):
    plain = queue.enqueue(project.follow, notes)
    low = project.come_back.using(priority=-1).enqueue(notes, 1)
    high = project.come_back.using(priority=1).enqueue(notes, 1)
    assert queue.job_ids == [high.id, plain.id, low.id]


def test_a_job_that_rq_could_not_find_is_refused(project):
    app = App(queue=RQQueue(project.connection), progress=None)

    @app.job
    def hidden(job):
        raise AssertionError("it must not run")

    with pytest.raises(QueueError, match="at the top of a module"):
        hidden.enqueue()


def test_unique_keys_are_refused(project, notes):
    with pytest.raises(QueueError, match="unique="):
        project.come_back.using(unique="key").enqueue(notes, 1)


def test_the_error_without_rq_says_what_to_install():
    program = "import sys; sys.modules['rq'] = None; import continuable.queues.rq"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert 'pip install "continuable[rq]"' in done.stderr
