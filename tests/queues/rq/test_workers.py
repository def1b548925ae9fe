"""What RQ itself does to jobs: its time limit, its command to stop one, its registries."""

import os
import signal
from importlib import import_module

import pytest
from rq.command import send_stop_job_command
from rq.job import Callback, Job, JobStatus

from continuable.conformance.jobs import HELD_AT, ROWS
from continuable.conformance.journal import Journal
from continuable.conformance.workers import Worker
from continuable.core.outcome import Suspended
from continuable.model.payload import JobRecord
from continuable.model.states import State
from continuable.progress import Claim
from continuable.progress.redis import RedisProgress
from continuable.queues.rq import sentry
from tests.queues.embedded.working.process import is_alive
from tests.waiting import DEADLINE

pytestmark = pytest.mark.slow

LIMIT = 8
"""Seconds, of which the import of the job's module takes some on a busy machine."""


def hold(journal, worker):
    worker.until(lambda: len(journal.rows) == HELD_AT, "the job in its middle")


def test_a_job_hands_over_before_its_time_limit(project, start, journal, tmp_path):
    queue = project.app.queue.queue(None)
    job = queue.enqueue(project.copy_rows.on_rq, str(tmp_path), job_timeout=LIMIT)
    worker = start()
    worker.until(lambda: len(journal.begins) == 2, "a hand-over")
    journal.release()
    handle = project.app.handle(job.id)
    assert handle.result(timeout=DEADLINE) == ROWS
    assert journal.rows == list(range(ROWS))
    assert (handle.info().reason, handle.info().resumptions) == ("max_runtime", 0)


def test_a_job_that_is_stopped_by_rqs_command_is_cancelled(project, start, journal, tmp_path):
    handle = project.copy_rows.enqueue(str(tmp_path))
    worker = start()
    hold(journal, worker)
    send_stop_job_command(project.connection, handle.id)
    worker.until(lambda: handle.state() is State.CANCELLED, "its end")
    job = Job.fetch(handle.id, project.connection)
    assert job.get_status() is JobStatus.STOPPED
    assert len(journal.begins) == 1


def test_a_job_that_was_rescued_is_in_no_registry_of_its_former_life(
    project, start, journal, tmp_path
):
    handle = project.copy_rows.enqueue(str(tmp_path))
    first = start()
    hold(journal, first)
    first.signal_all(signal.SIGKILL)
    second = start()
    second.until(lambda: len(journal.begins) == 2, "another execution")
    job = Job.fetch(handle.id, project.connection)
    assert len(job.started_job_registry.get_job_ids(cleanup=False)) == 1
    journal.release()
    assert handle.result(timeout=DEADLINE) == ROWS
    second.until(lambda: job.get_status() is JobStatus.FINISHED, "its end in RQ")
    assert not job.started_job_registry.get_job_ids(cleanup=False)


@pytest.mark.parametrize("whom", ["all", "main"])
def test_a_job_that_a_worker_had_taken_and_not_begun_is_brought_back(
    project, worker_command, worker_environment, start, journal, tmp_path, whom
):
    slow = import_module("tests.queues.rq.slow_project")
    handle = slow.note_at_last.enqueue(str(tmp_path / "noted"))
    environment = worker_environment | {"CONTINUABLE_TEST_SLOW": str(tmp_path)}
    first = Worker(worker_command("Worker"), environment, tmp_path / "first.log")
    try:
        first.until((tmp_path / "importing").exists, "a job that is not begun yet")
        horse = int((tmp_path / "importing").read_text())
        begun = project.copy_rows.enqueue(str(tmp_path))
        hold(journal, start())
        start()
        (first.signal_all if whom == "all" else first.signal_main)(signal.SIGKILL)
        first.wait()
        assert handle.result(timeout=DEADLINE) is None
        journal.release()
        assert begun.result(timeout=DEADLINE) == ROWS
        (tmp_path / "imported").touch()  # to whoever was left alive with it
        first.until(lambda: not is_alive(horse), "the end of its work horse")
        assert (tmp_path / "noted").read_text() == "at last\n"
    finally:
        (tmp_path / "imported").touch()
        first.end()


def test_an_idle_worker_stands_by_while_jobs_run_and_makes_room_for_others(
    project, start, journal, tmp_path
):
    handle = project.copy_rows.enqueue(str(tmp_path))
    hold(journal, start())
    second = start()

    def is_standing_by():
        standing = project.connection.hget(Job.key_for(sentry.ID), "status")
        return standing == b"started"

    second.until(is_standing_by, "the sentry")
    (tmp_path / "other").mkdir()
    other = project.note_that_it_ran.using(queue="elsewhere").enqueue(
        str(tmp_path / "other"), "ran"
    )
    assert other.result(timeout=DEADLINE) == "ran"
    second.until(is_standing_by, "the sentry again")
    second.signal_main(signal.SIGTERM)
    assert second.wait() == 0
    journal.release()
    assert handle.result(timeout=DEADLINE) == ROWS


def test_an_idle_worker_brings_back_all_that_dead_workers_have_left(
    project, start, journal, tmp_path
):
    queue, store = project.app.queue, project.app.queue.store
    folders = [tmp_path / f"job-{number}" for number in range(5)]
    for folder in folders:
        folder.mkdir()
    handles = [project.note_that_it_ran.enqueue(str(folder), "ran") for folder in folders]
    project.connection.delete(queue.queue(None).key)  # a worker has taken them all,
    for handle in handles:
        record = JobRecord(id=handle.id, name=handle.info().name)
        assert isinstance(store.claim(record, "dead"), Claim)  # and has begun,
        store.expire(handle.id, "dead")  # and has died
    queue._sentry.post(queue.queue("elsewhere"), project.note_that_it_ran.on_rq)
    worker = start()
    worker.until(lambda: all(handle.state().is_finished for handle in handles), "their ends")
    assert [len(Journal(folder).begins) for folder in folders] == [1] * len(folders)
    worker.until(lambda: not project.connection.exists(Job.key_for(sentry.ID)), "its end")


def test_a_sentry_that_has_no_job_to_stand_by_for_leaves_nothing_behind(project, start):
    queue = project.app.queue
    queue._sentry.post(queue.queue("elsewhere"), project.note_that_it_ran.on_rq)
    worker = start()
    worker.until(lambda: "stands by" in worker.log, "the sentry")
    # RQ loses what a worker has just taken when it is told to stop, so that comes later.
    worker.until(lambda: not project.connection.keys(f"*{sentry.ID}*"), "its end")
    worker.signal_main(signal.SIGTERM)
    assert worker.wait() == 0
    assert not project.connection.keys(f"*{sentry.ID}*")


def test_an_idle_worker_sends_a_job_whose_worker_died_before_it_could(
    project, worker_command, worker_environment, tmp_path
):
    lease = 4.0  # longer than a worker takes to start
    queue, store = project.app.queue, RedisProgress(project.connection, lease=lease)
    handle = project.note_that_it_ran.enqueue(str(tmp_path), "ran")
    claim = store.claim(JobRecord(id=handle.id, name=handle.info().name), "dead")
    interrupted = Suspended(
        reason="stopping",
        description="not started",
        progress="{}",
        wait=0.0,
        queue=None,
        priority=None,
        is_counted=True,
    )
    store.settle(claim, interrupted)
    project.connection.delete(queue.queue(None).key)  # which is where it had been taken from
    queue._sentry.post(queue.queue("elsewhere"), project.note_that_it_ran.on_rq)
    environment = worker_environment | {"CONTINUABLE_CONFORMANCE_LEASE": str(lease)}
    worker = Worker(worker_command("Worker"), environment, tmp_path / "worker.log")
    try:
        worker.until(lambda: handle.state().is_finished, "its end")
        worker.until(lambda: not project.connection.exists(Job.key_for(sentry.ID)), "the sentry's")
    finally:
        worker.end()


def test_a_job_that_comes_to_no_checkpoint_before_its_time_limit_resumes(
    project, start, journal, tmp_path
):
    (tmp_path / "block").touch()
    queue = project.app.queue.queue(None)
    job = queue.enqueue(project.go_without_checkpoint.on_rq, str(tmp_path), job_timeout=LIMIT)
    worker = start()
    worker.until(lambda: len(journal.begins) == 2, "another execution")
    journal.release()
    handle = project.app.handle(job.id)
    assert handle.result(timeout=DEADLINE) == HELD_AT
    assert journal.rows == list(range(HELD_AT))
    assert "JobTimeoutException" in handle.info().error
    assert job.get_status() is not JobStatus.FAILED


@pytest.mark.parametrize("how", ["stopped", "work horse killed", "all killed"])
def test_what_depends_on_a_job_and_its_callbacks_run_once_whatever_ends_its_worker(
    project, start, journal, tmp_path, how
):
    queue = project.app.queue.queue(None)
    job = queue.enqueue(
        project.copy_rows.on_rq,
        str(tmp_path),
        on_success=Callback(project.copied),
        on_failure=Callback(project.not_copied),
    )
    handle = project.app.handle(job.id)
    follower = queue.enqueue(project.follow, str(tmp_path / "notes"), depends_on=job)
    first = start()
    hold(journal, first)
    first.until(lambda: handle.info().cursor == HELD_AT, "a save")
    match how:
        case "stopped":
            first.signal_main(signal.SIGTERM)
            assert first.wait() == 0
        case "work horse killed":
            os.kill(journal.begins[0].pid, signal.SIGKILL)
        case "all killed":
            first.signal_all(signal.SIGKILL)
            first.wait()
    second = start()
    second.until(lambda: len(journal.begins) == 2, "another execution")
    assert not (tmp_path / "notes").exists()
    journal.release()
    assert handle.result(timeout=DEADLINE) == ROWS
    second.until(lambda: follower.get_status() is JobStatus.FINISHED, "what depends on it")
    written = (tmp_path / "notes").read_text().splitlines()
    assert written == [f"succeeded with {ROWS}", "followed"]
    assert journal.rows == list(range(ROWS))


def test_work_horses_that_come_and_go_bring_back_what_dead_workers_have_left(
    project, start, tmp_path
):
    store = project.app.queue.store
    folders = [tmp_path / f"job-{number}" for number in range(4)]
    for folder in folders:
        folder.mkdir()
    left, *others = [project.note_that_it_ran.enqueue(str(folder), "ran") for folder in folders]
    project.connection.lrem(project.app.queue.queue(None).key, 1, left.id)  # a worker took it,
    assert isinstance(store.claim(JobRecord(id=left.id, name=left.info().name), "dead"), Claim)
    store.expire(left.id, "dead")  # and has died
    start()
    assert [other.result(timeout=DEADLINE) for other in others] == ["ran"] * len(others)
    assert left.result(timeout=DEADLINE) == "ran"


def test_the_sentry_stays_while_the_job_of_another_worker_runs(
    project, worker_command, worker_environment, journal, tmp_path
):
    environment = worker_environment | {"CONTINUABLE_CONFORMANCE_LEASE": "60"}
    project.copy_rows.enqueue(str(tmp_path))
    (tmp_path / "other").mkdir()
    first = Worker(worker_command("Worker"), environment, tmp_path / "first.log")
    second = Worker(worker_command("Worker"), environment, tmp_path / "second.log")
    try:
        hold(journal, first)
        horse = journal.begins[0].pid
        os.kill(horse, signal.SIGSTOP)  # so that it posts no other
        other = project.note_that_it_ran.enqueue(str(tmp_path / "other"), "ran")
        assert other.result(timeout=DEADLINE) == "ran"

        def is_standing_by():
            return project.connection.hget(Job.key_for(sentry.ID), "status") == b"started"

        second.until(is_standing_by, "the sentry")
    finally:
        os.kill(horse, signal.SIGKILL)
        first.end()
        second.end()


@pytest.mark.parametrize("how", ["emptied", "deleted"])
def test_a_job_whose_message_was_purged_is_lost_and_can_be_retried(
    project, worker_command, worker_environment, tmp_path, how
):
    for name in ("purged", "other"):
        (tmp_path / name).mkdir()
    queue = project.app.queue.queue("elsewhere")
    purged = project.note_that_it_ran.using(queue="elsewhere").enqueue(
        str(tmp_path / "purged"), "ran"
    )
    if how == "emptied":
        queue.empty()
    else:
        Job.fetch(purged.id, project.connection).delete()
    running = project.copy_rows.enqueue(str(tmp_path / "other"))
    environment = worker_environment | {"CONTINUABLE_CONFORMANCE_LEASE": "1.0"}
    journal = Journal(tmp_path / "other")
    worker = Worker(worker_command("Worker"), environment, tmp_path / "worker.log")
    try:
        worker.until(lambda: purged.state() is State.FAILED, "the look for lost messages")
        assert (purged.info().reason, Journal(tmp_path / "purged").begins) == ("lost", [])
        journal.release()
        assert running.result(timeout=DEADLINE) == ROWS
        purged.retry()
        assert purged.result(timeout=DEADLINE) == "ran"
    finally:
        journal.release()
        worker.end()
