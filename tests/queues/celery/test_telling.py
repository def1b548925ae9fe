"""What depends on a job is told of its end once, however often its message comes."""

from pathlib import Path

import pytest
from celery import chain
from celery.exceptions import TaskRevokedError
from celery.states import FAILURE, SUCCESS

from continuable.conformance.engine import folder_of
from continuable.conformance.journal import Journal
from continuable.model.states import State
from tests.queues.celery.conftest import await_hold
from tests.waiting import DEADLINE, until

pytestmark = pytest.mark.slow


def lines(folder, name):
    path = Path(folder, name)
    return path.read_text().splitlines() if path.exists() else []


def deliver_again(project, result, task, args, **options):
    """What a broker does that has not got the acknowledgement of the first message."""
    return task.apply_async(args, task_id=result.id, **options)


def is_told(project, job_id):
    history = project.app.queue.board.history(job_id)
    return "celery.told" in [entry.event for entry in history]


def run_behind(project, tmp_path, worker, name="behind"):
    behind = project.note_that_it_ran.enqueue(str(folder_of(tmp_path, name)), "ran")
    worker.until(lambda: behind.state() is State.COMPLETED, "a job behind")


@pytest.mark.parametrize("ignore_result", [False, True])
@pytest.mark.parametrize("end", ["completed", "failed"])
def test_callbacks_run_once(project, start_worker, folder, tmp_path, end, ignore_result):
    worker = start_worker("threads")
    links = {
        "link": project.note.s(folder),
        "link_error": project.note_failure.s(folder=folder),
        "ignore_result": ignore_result,
    }
    if end == "completed":
        task, args = project.app.queue.task(project.note_that_it_ran), (folder, "ran")
    else:
        task, args = project.app.queue.task(project.fail), (folder, 99)
    result = task.apply_async(args, **links)
    told = "notes" if end == "completed" else "failures"
    until(lambda: lines(folder, told), "the callback")
    until(lambda: is_told(project, result.id), "the note of it")
    for number in range(2):
        deliver_again(project, result, task, args, **links)
        worker.until(lambda n=number: worker.log.count(f"[{result.id}] received") == n + 2, "it")
    run_behind(project, tmp_path, worker)
    run_behind(project, tmp_path, worker, "after its callbacks")
    assert len(lines(folder, told)) == 1
    assert len(Journal(folder).begins) == 1
    if not ignore_result:
        # `task_track_started` has shown it as started with each message.
        until(lambda: result.state == (SUCCESS if end == "completed" else FAILURE), "its result")


def test_the_next_task_of_a_chain_runs_once(project, start_worker, folder, tmp_path):
    worker = start_worker("threads")
    task = project.app.queue.task(project.note_that_it_ran)
    chained = chain(task.s(folder, "ran"), project.note.s(folder)).apply_async()
    chained.get(timeout=DEADLINE)
    first = chained.parent
    until(lambda: is_told(project, first.id), "the note of it")
    again = project.note.s(folder)
    again.set(task_id="again")
    deliver_again(project, first, task, (folder, "ran"), chain=[dict(again)])
    worker.until(lambda: worker.log.count(f"[{first.id}] received") == 2, "it comes again")
    run_behind(project, tmp_path, worker)
    run_behind(project, tmp_path, worker, "after the chain")
    assert lines(folder, "notes") == ['"ran"']


def test_an_end_without_dependents_is_shown_again_and_not_told(
    project, start_worker, folder, tmp_path
):
    worker = start_worker("threads")
    task = project.app.queue.task(project.fail)
    result = task.apply_async((folder, 99))
    until(lambda: result.state == FAILURE, "its end")
    deliver_again(project, result, task, (folder, 99))
    worker.until(lambda: worker.log.count(f"[{result.id}] received") == 2, "it comes again")
    run_behind(project, tmp_path, worker)
    until(lambda: result.state == FAILURE, "its result")
    assert not is_told(project, result.id)
    assert "no luck" in str(result.result)


@pytest.mark.parametrize("terminate", [False, True])
def test_a_job_that_is_revoked_in_a_chain_tells_so_and_nothing_follows(
    project, start_worker, folder, journal, tmp_path, terminate
):
    worker = start_worker("prefork")
    until(lambda: "ready." in worker.log, "a worker that hears commands")
    task = project.app.queue.task(project.copy_rows)
    chained = chain(task.s(folder), project.note.s(folder)).apply_async()
    await_hold(journal)
    project.celery_app.control.revoke(chained.parent.id, terminate=terminate)
    with pytest.raises(TaskRevokedError):
        chained.parent.get(timeout=DEADLINE)
    until(lambda: is_told(project, chained.parent.id), "the note of it")
    run_behind(project, tmp_path, worker)
    assert lines(folder, "notes") == []


def test_a_job_that_is_retried_after_its_end_tells_its_new_end(project, start_worker, folder):
    start_worker("threads")
    task = project.app.queue.task(project.fail)
    links = {"link": project.note.s(folder), "link_error": project.note_failure.s(folder=folder)}
    result = task.apply_async((folder, 1), **links)
    until(lambda: lines(folder, "failures"), "the first end")
    handle = project.app.handle(result.id)
    until(lambda: is_told(project, result.id), "the note of it")
    handle.retry()
    assert handle.result(timeout=DEADLINE) == "well"
    until(lambda: lines(folder, "notes") == ['"well"'], "the second end")
