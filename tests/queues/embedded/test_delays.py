import pytest

from continuable.core.interrupt import STOPPING
from continuable.core.outcome import Completed, ErrorReport, Failed, Suspended
from continuable.model.states import State
from continuable.worker.runner import RunResult

HOUR = 3600
ERROR = ValueError("bad row")
FAILED = Failed(
    error=ERROR,
    report=ErrorReport("ValueError: bad row", "Traceback"),
    progress="{}",
    made_progress=False,
    may_retry=True,
)


def suspended(wait):
    return Suspended(
        reason=STOPPING,
        description="at 'a'",
        progress='{"current":["a",1]}',
        wait=wait,
        queue=None,
        priority=None,
        is_counted=True,
    )


@pytest.mark.parametrize("when", ["wait", "run_at"])
def test_a_delayed_job_is_claimed_when_it_is_due_and_not_before(table, enqueue, clock, when):
    job_id = enqueue(**{when: 10 if when == "wait" else clock() + 10})
    assert table.next_due() == clock() + 10
    assert table.find(job_id).run_at.timestamp() == clock() + 10
    clock.pass_by(9.9)
    assert table.claim_next("me") is None
    clock.pass_by(0.1)
    assert table.claim_next("me").id == job_id
    assert table.next_due() is None


def test_a_moment_in_the_past_is_now(table, enqueue, clock):
    enqueue(run_at=clock() - 5)
    assert table.claim_next("me") is not None


def test_a_busy_worker_finds_what_has_come_due(table, enqueue, clock):
    enqueue(id="later", priority=9, wait=5)
    for n in range(3):
        enqueue(id=f"now-{n}")
    job = table.claim_next("me")
    clock.pass_by(5)
    ended = RunResult(job, Completed(result="null", progress=None))
    job = table.end_and_claim_next(ended)
    assert job.id == "later"


def test_a_retry_waits_and_counts_as_pending(table, enqueue, clock):
    job_id = enqueue()
    table.end(RunResult(table.claim_next("me"), FAILED, retry_in=30))
    job = table.find(job_id)
    assert (job.state, job.reason, job.error) == (State.INTERRUPTED, "retry", "ValueError: bad row")
    assert table.claim_next("me") is None
    assert table.is_any_pending()
    clock.pass_by(30)
    assert table.claim_next("me").failures == 1


def test_an_interrupted_job_comes_back_before_what_came_in_later(table, enqueue, clock):
    first = enqueue()
    claimed = table.claim_next("me")
    enqueue()
    table.end(RunResult(claimed, suspended(5)))
    clock.pass_by(5)
    again = table.claim_next("me")
    assert (again.id, again.executions, again.resumptions, again.reason) == (first, 2, 1, STOPPING)


def test_a_clock_that_is_set_back_an_hour_strands_no_wait(table, enqueue, clock):
    waiting, resuming = enqueue(wait=10), enqueue()
    table.end(RunResult(table.claim_next("me"), suspended(5)))
    clock.pass_by(-HOUR)
    assert table.claim_next("me") is None
    assert table.next_due() == clock() + 5
    clock.pass_by(5)
    assert table.claim_next("me").id == resuming
    clock.pass_by(5)
    assert table.claim_next("me").id == waiting


def test_a_chosen_moment_stays_when_the_clock_is_set_back(table, enqueue, clock):
    enqueue(run_at=clock() + 10)
    clock.pass_by(-HOUR)
    assert table.claim_next("me") is None
    assert table.next_due() == clock() + HOUR + 10


def test_a_running_job_does_not_care_about_the_clock(table, enqueue, clock):
    job_id = enqueue()
    claimed = table.claim_next("me")
    clock.pass_by(-HOUR)
    assert table.reclaim([]) == []
    assert table.end(RunResult(claimed, Completed(result="1", progress=None)))
    assert table.find(job_id).state is State.COMPLETED
