"""What Celery and a job are to each other: ids, states, words, requests."""

from pathlib import Path

import pytest
from celery.exceptions import TaskRevokedError
from celery.states import FAILURE, REVOKED, SUCCESS

from continuable.conformance.engine import folder_of
from continuable.conformance.jobs import HELD_AT, ROWS
from continuable.core.outcome import Completed, ErrorReport, Failed
from continuable.errors import JobCancelledError
from continuable.model.payload import JobRecord
from continuable.model.states import State
from continuable.progress import Claim
from tests.queues.celery import project_on_settings
from tests.queues.celery.conftest import await_hold
from tests.queues.embedded.working.process import is_alive
from tests.waiting import DEADLINE, until

CHOSEN = f"{project_on_settings.__name__}:celery_app"


@pytest.fixture
def task_of(project):
    return project.app.queue.task


@pytest.fixture
def make_project(project):
    return project_on_settings.make


@pytest.fixture
def other_folder(tmp_path):
    """For a job that comes behind the one under test."""
    return str(folder_of(tmp_path, "behind"))


def restore_unacknowledged(project):
    """What a worker does once the visibility timeout is over."""
    with project.celery_app.connection_for_write() as connection:
        channel = connection.default_channel
        channel.visibility_timeout = 0
        channel.qos.restore_visible(num=10)


# --- a task of its own right


def test_a_job_is_a_task_of_the_same_name(project, task_of):
    task = task_of(project.copy_rows)
    assert task.name == project.copy_rows.name
    assert project.celery_app.tasks[task.name] == task
    assert (task.acks_late, task.reject_on_worker_lost) == (True, True)


def test_old_call_sites_go_on_by_the_task_of_a_job(project, task_of):
    assert project.copy_rows.task is task_of(project.copy_rows)


def test_the_arguments_of_a_call_are_checked_where_it_is_made(project, task_of):
    with pytest.raises(TypeError):
        task_of(project.copy_rows).delay()
    with pytest.raises(TypeError):
        task_of(project.copy_rows).delay("folder", "another")


def test_a_task_that_is_called_runs_here_and_now(project, task_of, folder, journal):
    journal.release()
    assert task_of(project.copy_rows)(folder) == ROWS
    assert task_of(project.acopy_rows)(folder) == ROWS
    assert task_of(project.copy_rows).apply((folder,)).get() == ROWS


def test_a_task_that_the_user_sends_is_a_job_under_its_id(
    project, task_of, start_worker, folder, journal
):
    journal.release()
    result = task_of(project.copy_rows).delay(folder)
    start_worker("threads")
    assert result.get(timeout=DEADLINE) == ROWS
    info = project.app.handle(result.id).info()
    assert (info.state, info.queue, info.executions) == (State.COMPLETED, "celery", 1)


def test_a_job_that_is_enqueued_is_a_task_with_a_result(project, start_worker, folder, journal):
    journal.release()
    handle = project.copy_rows.enqueue(folder)
    start_worker("threads")
    assert project.celery_app.AsyncResult(handle.id).get(timeout=DEADLINE) == ROWS


def test_a_result_that_json_cannot_carry_is_plain_for_celery(
    project, task_of, start_worker, folder
):
    start_worker("threads")
    link = project.note.s(folder)
    result = task_of(project.count).apply_async((folder,), link=link)
    plain = result.get(timeout=DEADLINE)
    assert "rows" in str(plain)
    assert project.app.handle(result.id).result(timeout=DEADLINE) == project.Imported(3)
    until(lambda: Path(folder, "notes").exists(), "what depends on it")


# --- Celery's own words


def test_a_retry_of_the_jobs_own_goes_on_after_its_steps(project, start_worker, folder, journal):
    handle = project.say_a_word.enqueue(folder, "retry")
    start_worker("threads")
    assert handle.result(timeout=DEADLINE) == "said"
    assert [entry.what for entry in journal.entries] == ["begin", "first", "begin"]
    assert project.celery_app.AsyncResult(handle.id).get(timeout=DEADLINE) == "said"


def test_between_tries_of_celerys_own_a_job_waits_and_has_not_failed(
    project, task_of, start_worker, folder, journal
):
    start_worker("threads")
    failures = project.note_failure.s(folder=folder)
    task = task_of(project.fail)
    result = task.apply_async((folder, 2), headers={"tries": 2}, link_error=failures)
    assert result.get(timeout=DEADLINE) == "well"
    handle = project.app.handle(result.id)
    until(lambda: handle.state() is State.COMPLETED, "its end")
    events = [entry.event for entry in project.app.queue.board.history(result.id)]
    assert events.count("job.retrying") == 2
    assert "job.failed" not in events
    assert len(journal.begins) == 3
    assert not Path(folder, "failures").exists()


def test_a_job_has_failed_after_the_last_try_of_celerys_own(
    project, task_of, start_worker, folder, journal
):
    start_worker("threads")
    result = task_of(project.fail).apply_async((folder, 9), headers={"tries": 1})
    with pytest.raises(ValueError, match="no luck"):
        result.get(timeout=DEADLINE)
    handle = project.app.handle(result.id)
    assert (handle.state(), len(journal.begins)) == (State.FAILED, 2)


@pytest.mark.slow
def test_a_job_shows_that_it_waits_for_a_try_of_celerys_own(
    make_project, start_worker, folder, journal
):
    settings = {"task_annotations": {"*": {"default_retry_delay": 600}}, "base": "tries again"}
    chosen = make_project(settings)
    handle = chosen.fail.enqueue(folder, 1)
    worker = start_worker("threads", settings=settings, app=CHOSEN)
    until(lambda: handle.info().reason == "retry", worker.log)
    info = handle.info()
    assert (info.state, info.error) == (State.INTERRUPTED, "ValueError: no luck")
    handle.cancel()


def test_a_rejected_message_comes_again_and_goes_on_after_its_steps(
    project, start_worker, folder, journal
):
    handle = project.say_a_word.enqueue(folder, "reject")
    start_worker("threads")
    assert handle.result(timeout=DEADLINE) == "said"
    assert [entry.what for entry in journal.entries] == ["begin", "first", "begin"]


def test_an_ignored_job_is_left_as_it_is(project, start_worker, folder, journal, other_folder):
    handle = project.say_a_word.enqueue(folder, "ignore")
    behind = project.note_that_it_ran.enqueue(other_folder, "ran")
    start_worker("threads")
    assert behind.result(timeout=DEADLINE) == "ran"
    assert (handle.state(), handle.info().completed) == (State.WAITING, ["first"])


# --- requests


def test_a_job_that_is_cancelled_is_a_task_that_was_revoked(project, start_worker, folder, journal):
    start_worker("threads")
    handle = project.copy_rows.enqueue(folder)
    await_hold(journal)
    handle.cancel()
    with pytest.raises(TaskRevokedError):
        project.celery_app.AsyncResult(handle.id).get(timeout=DEADLINE)


@pytest.mark.slow
@pytest.mark.sample
def test_a_task_that_is_revoked_is_a_job_that_was_cancelled(
    project, start_worker, folder, journal, other_folder
):
    worker = start_worker("prefork")
    handle = project.copy_rows.enqueue(folder)
    await_hold(journal)
    project.celery_app.control.revoke(handle.id, terminate=True)
    with pytest.raises(JobCancelledError):
        handle.result(timeout=DEADLINE)
    until(lambda: project.celery_app.AsyncResult(handle.id).state == REVOKED, "its state")
    behind = project.note_that_it_ran.enqueue(other_folder, "ran")
    assert behind.result(timeout=DEADLINE) == "ran", worker.log
    assert len(journal.begins) == 1


# --- what is delivered more than once


def test_a_message_whose_visibility_timeout_is_over_waits_for_the_running_job(
    project, start_worker, folder, journal, other_folder
):
    handle = project.copy_rows.enqueue(folder)
    start_worker("threads")
    await_hold(journal)
    restore_unacknowledged(project)
    start_worker("threads")
    behind = project.note_that_it_ran.enqueue(other_folder, "ran")
    assert behind.result(timeout=DEADLINE) == "ran"
    journal.release()
    assert handle.result(timeout=DEADLINE) == ROWS
    assert journal.rows == list(range(ROWS))
    assert not journal.runs_overlap


@pytest.mark.slow
def test_the_message_of_a_killed_worker_is_dropped_when_it_comes_back_at_last(
    project, start_worker, folder, journal, other_folder
):
    handle = project.copy_rows.enqueue(folder)
    first = start_worker("prefork")
    await_hold(journal)
    until(lambda: handle.info().cursor == HELD_AT, "the save of where it waits")
    first.signal_main(9)
    first.wait()
    until(lambda: not is_alive(journal.begins[0].pid), "the death of its pool")
    journal.release()
    start_worker("threads")
    assert handle.result(timeout=DEADLINE) == ROWS
    restore_unacknowledged(project)
    behind = project.note_that_it_ran.enqueue(other_folder, "ran")
    assert behind.result(timeout=DEADLINE) == "ran"
    assert len(journal.begins) == 2
    assert journal.rows == list(range(ROWS))


@pytest.mark.slow
@pytest.mark.parametrize(("state", "expected"), [("completed", SUCCESS), ("failed", FAILURE)])
def test_an_end_that_a_killed_worker_has_not_told_celery_is_told_by_the_next(
    project, task_of, start_worker, folder, state, expected
):
    store, task = project.app.queue.store, task_of(project.note_that_it_ran)
    claim = store.claim(JobRecord(id="job-1", name=task.name), "dead")
    assert isinstance(claim, Claim)
    ends = {
        "completed": Completed(result='"ran"', progress=None),
        "failed": Failed(
            error=ValueError("no luck"),
            report=ErrorReport(summary="ValueError: no luck", traceback=""),
            progress="{}",
            made_progress=False,
            may_retry=False,
        ),
    }
    store.settle(claim, ends[state])
    result = task.apply_async((folder, "ran"), task_id="job-1", link=project.note.s(folder))
    start_worker("threads")
    until(lambda: result.state == expected, "its end")
    assert not Path(folder, "journal").exists()
    if state == "completed":
        assert result.get() == "ran"
        until(lambda: Path(folder, "notes").exists(), "what depends on it")
