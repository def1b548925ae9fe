import json

import pytest

from continuable.core.interrupt import PAUSED, STOPPING
from continuable.core.outcome import Cancelled, Completed, ErrorReport, Failed, Fenced, Suspended
from continuable.model.states import State
from continuable.progress import Note
from continuable.worker.runner import RunResult

PROGRESS = '{"completed":["a"],"current":["b",7]}'
FURTHER = '{"completed":["a"],"current":["b",8]}'
REPORT = ErrorReport("ValueError: bad row", "Traceback: ...")
DONE = Completed(result='"ok"', progress=PROGRESS)
CANCELLED = Cancelled(reason="no longer wanted", progress=PROGRESS)


def suspended(reason=STOPPING, **options):
    return Suspended(
        **{
            "reason": reason,
            "description": "at 'b', cursor 7",
            "progress": PROGRESS,
            "wait": 0.0,
            "queue": None,
            "priority": None,
            "is_counted": True,
            **options,
        }
    )


def failed(progress=PROGRESS, *, made_progress=False):
    return Failed(
        error=ValueError("bad row"),
        report=REPORT,
        progress=progress,
        made_progress=made_progress,
        may_retry=True,
    )


def events(table, job_id):
    return [entry.event for entry in table.history(job_id)]


def test_a_completed_job_keeps_its_result(table, claimed):
    job = claimed()
    assert table.end(RunResult(job, DONE, longest_gap=2.5)).state is State.COMPLETED
    ended, info = table.result(job.id), table.find(job.id)
    assert (ended.state, ended.result) == (State.COMPLETED, '"ok"')
    assert (info.longest_gap, info.worker, info.completed) == (2.5, None, ["a"])
    assert info.finished_at is not None
    assert events(table, job.id) == [], "a plain completion is not worth telling"


def test_a_suspended_job_resumes_where_it_was(table, claimed):
    job = claimed()
    table.end(RunResult(job, suspended(queue="slow", priority=3)))
    again = table.claim_next("other")
    assert (again.id, again.queue, again.priority) == (job.id, "slow", 3)
    assert (again.fence, again.executions, again.resumptions) == (2, 2, 1)
    assert again.record().progress == json.loads(PROGRESS)
    entry = table.history(job.id)[0]
    assert entry.event == "job.interrupted"
    assert entry.data["reason"] == STOPPING
    assert entry.data["description"] == "at 'b', cursor 7"


def test_an_interruption_that_is_not_counted_uses_up_no_resumption(table, claimed):
    job = claimed()
    table.end(RunResult(job, suspended("isolating", is_counted=False)))
    assert table.claim_next("me").resumptions == 0


def test_an_error_after_progress_stays_visible(table, claimed):
    job = claimed()
    table.end(RunResult(job, suspended("error", error=REPORT)))
    info = table.find(job.id)
    assert (info.error, info.traceback, info.reason) == (REPORT.summary, REPORT.traceback, "error")


def test_a_pause_holds_the_job(table, claimed):
    job = claimed()
    table.end(RunResult(job, suspended(PAUSED, wait=5)))
    assert table.find(job.id).state is State.PAUSED
    assert table.claim_next("me") is None
    assert events(table, job.id) == ["job.paused"]


def test_a_failed_job_keeps_everything(table, claimed):
    job = claimed()
    table.end(RunResult(job, failed()))
    info = table.find(job.id)
    assert (info.state, info.error, info.traceback) == (State.FAILED, *vars_of(REPORT))
    assert (info.step, info.cursor) == ("b", 7)
    assert events(table, job.id) == ["job.failed"]


def vars_of(report):
    return report.summary, report.traceback


def test_failures_in_a_row_are_counted_until_there_is_progress(table, claimed):
    job = claimed()
    table.end(RunResult(job, failed(), retry_in=0))
    job = table.claim_next("me")
    assert job.failures == 1
    table.end(RunResult(job, failed(), retry_in=0))
    job = table.claim_next("me")
    assert job.failures == 2
    table.end(RunResult(job, failed(FURTHER, made_progress=True), retry_in=0))
    job = table.claim_next("me")
    assert job.failures == 1
    assert events(table, job.id) == ["job.retrying"] * 3
    table.end(RunResult(job, suspended(progress='{"current":["c",1]}')))
    assert table.claim_next("me").failures == 0


def test_a_cancelled_job_is_finished(table, claimed):
    job = claimed()
    table.end(RunResult(job, CANCELLED))
    assert table.result(job.id).reason == "no longer wanted"
    assert table.find(job.id).state is State.CANCELLED
    assert events(table, job.id) == ["job.cancelled"]


def test_a_fenced_execution_writes_nothing(table, claimed):
    job = claimed()
    assert table.end(RunResult(job, Fenced())).state is None
    assert table.find(job.id).state is State.RUNNING


@pytest.mark.parametrize(
    "outcome", [DONE, suspended(), failed(), CANCELLED], ids=lambda outcome: type(outcome).__name__
)
def test_nothing_is_written_for_a_job_that_was_taken_away(table, claimed, outcome):
    job = claimed()
    table.reclaim(["me"])
    before = table.find(job.id)
    assert table.end(RunResult(job, outcome)).state is None
    newer = table.claim_next("other")
    assert table.end(RunResult(job, outcome, retry_in=1)).state is None
    assert table.find(job.id).state is State.RUNNING
    assert newer.progress == "{}"
    assert before.progress == {}


@pytest.mark.parametrize(
    ("verb", "outcome", "state"),
    [
        ("pause", suspended(), State.PAUSED),
        ("pause", failed(), State.FAILED),
        ("pause", DONE, State.COMPLETED),
        ("cancel", suspended(wait=9), State.CANCELLED),
        ("cancel", suspended(PAUSED), State.CANCELLED),
        ("cancel", DONE, State.COMPLETED),
    ],
)
def test_a_request_that_came_meanwhile_wins_over_a_suspension(
    table, running_elsewhere, verb, outcome, state
):
    job = running_elsewhere()
    table.request(job.id, verb)
    table.end(RunResult(job, outcome))
    info = table.find(job.id)
    assert info.state is state
    assert info.run_at is None
    assert (info.finished_at is not None) is state.is_finished


def test_a_retry_is_held_by_a_pause_and_ended_by_a_cancel(table, running_elsewhere):
    one, two = running_elsewhere(), running_elsewhere()
    table.request(one.id, "pause")
    table.request(two.id, "cancel")
    table.end(RunResult(one, failed(), retry_in=5))
    table.end(RunResult(two, failed(), retry_in=5))
    assert table.find(one.id).state is State.PAUSED
    assert table.find(two.id).state is State.CANCELLED


def test_a_history_keeps_its_newest_200_entries(table, claimed):
    job = claimed()
    for n in range(205):
        table.note(job.id, Note(0.0, "job.notified", json.dumps({"n": n})))
    told = table.history(job.id)
    assert (len(told), told[0].data, told[-1].data) == (200, {"n": 5}, {"n": 204})
