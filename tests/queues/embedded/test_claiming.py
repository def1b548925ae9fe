import pytest

from continuable.core.interrupt import STOPPING
from continuable.core.outcome import Completed
from continuable.errors import DeserializationError
from continuable.model.states import State
from continuable.progress import Save
from continuable.queues.embedded.database import JobDatabase
from continuable.queues.embedded.table import JobTable
from continuable.worker.runner import RunResult

DONE = Completed(result="null", progress=None)


def claim_all(table, queues=None):
    ids = []
    while (job := table.claim_next("me", queues)) is not None:
        ids.append(job.id)
    return ids


def test_higher_priority_comes_first_then_the_oldest(table, enqueue):
    enqueue(id="a")
    enqueue(id="b", priority=5, queue="mail")
    enqueue(id="c", priority=-1)
    enqueue(id="d", priority=5)
    enqueue(id="e")
    assert claim_all(table) == ["b", "d", "a", "e", "c"]


@pytest.mark.parametrize(
    ("queues", "ids"),
    [
        (None, ["b", "a", "c"]),
        (["x"], ["a"]),
        (["y", "x"], ["b", "a"]),
        (["z", "y"], ["b", "c"]),
        (["nothing"], []),
        ([], []),
    ],
)
def test_a_worker_takes_from_its_queues_only(table, enqueue, queues, ids):
    enqueue(id="a", queue="x")
    enqueue(id="b", queue="y", priority=1)
    enqueue(id="c", queue="z")
    assert claim_all(table, queues) == ids


def test_a_claim_shows_in_the_row_and_carries_the_record(table, enqueue):
    enqueue(id="a", name="app.import", arguments='[["x.csv"],{"n":1}]')
    claimed = table.claim_next("me")
    record = claimed.record()
    assert (record.id, record.name, record.arguments) == ("a", "app.import", '[["x.csv"],{"n":1}]')
    assert (claimed.fence, claimed.executions, record.executions, record.progress) == (1, 1, 1, {})
    row = table.find("a")
    assert (row.state, row.worker, row.executions) == (State.RUNNING, "me", 1)
    assert row.started_at is not None


def test_nobody_else_gets_a_claimed_job(table, enqueue):
    enqueue()
    assert table.claim_next("me") is not None
    assert table.claim_next("other") is None


def test_the_next_job_comes_with_the_settlement(table, enqueue):
    enqueue(id="a")
    enqueue(id="b", queue="x")
    enqueue(id="c")
    first = table.claim_next("me", ["default"])
    assert table.end(RunResult(first, DONE)).state is State.COMPLETED
    table.claim_job("me", "b")
    third = table.end_and_claim_next(RunResult(first, DONE), ["default"])
    assert (third.id, third.worker) == ("c", "me")
    assert table.end_and_claim_next(RunResult(third, DONE)) is None


def test_of_several_queues_the_best_job_is_claimed(table, enqueue):
    enqueue(id="a")
    enqueue(id="b", queue="x", priority=1)
    enqueue(id="c")
    for queues in None, ["default", "x"]:
        claimed = table.claim_next("me", queues)
        assert claimed.id == "b"
        table.release(claimed)


def test_a_worker_claims_only_jobs_whose_code_it_has(table, enqueue):
    """Two apps, or two releases, may share a file."""
    for number in range(3):
        enqueue(id=f"theirs-{number}", name="theirs", queue="x", priority=9)
    enqueue(id="ours", name="ours", queue="x")
    enqueue(id="ours-later", name="ours")
    table.know({"ours": None, "another": None})
    assert table.claim_next("me", ["default", "x"]).id == "ours"
    assert table.claim_next("me", ["x"]) is None
    assert table.claim_next("me").id == "ours-later"
    assert table.claim_next("me") is None
    assert table.is_any_pending()  # what it has claimed
    for job_id in ("ours", "ours-later"):
        table.discard(job_id)
    assert not table.is_any_pending()
    assert not table.is_any_pending(["x"])
    table.know({"theirs": None})
    assert [table.claim_next("you").id for _ in range(3)] == ["theirs-0", "theirs-1", "theirs-2"]


def test_an_older_claim_writes_nothing_into_the_job_that_came_after_its_own(table, enqueue):
    """A worker of several threads may hold both: an id that was forgotten is given anew."""
    first = enqueue(id="a")
    old = table.claim_next("me")
    table.discard(first)
    enqueue(id="a")
    new = table.claim_next("me")
    assert new.id == old.id
    assert table.save([Save("a", old.fence, "me", 9, '{"completed":["a"]}')]) == ["a"]
    before = table.find("a")
    assert table.end(RunResult(old, DONE)).state is None
    table.release(old)
    assert table.find("a") == before
    assert table.end(RunResult(new, DONE)).state is State.COMPLETED


@pytest.mark.parametrize("state", ["waiting", "interrupted", "paused"])
def test_one_job_can_be_claimed_by_its_id_whatever_its_delay(table, enqueue, raw, state):
    job_id = enqueue(wait=60)
    raw.execute("UPDATE continuable_jobs SET state = ?", [state])
    assert table.claim_job("me", job_id).id == job_id
    assert table.find(job_id).run_at is None


@pytest.mark.parametrize("state", ["running", "completed", "failed", "cancelled", "pausing"])
def test_a_job_that_runs_or_is_finished_cannot_be_claimed(table, enqueue, raw, state):
    job_id = enqueue()
    raw.execute("UPDATE continuable_jobs SET state = ?", [state])
    assert table.claim_job("me", job_id) is None
    assert table.claim_next("me") is None


def test_a_released_claim_is_as_if_it_had_not_been(table, enqueue):
    job_id = enqueue()
    claimed = table.claim_next("me")
    table.release(claimed)
    job = table.find(job_id)
    assert (job.state, job.executions, job.worker, job.started_at) == (State.WAITING, 0, None, None)
    assert table.end(RunResult(claimed, DONE)).state is None
    assert table.claim_next("other").fence == claimed.fence + 1


@pytest.mark.parametrize("text", ["{oops", "[1]", "[" * 100_000])
def test_a_damaged_row_can_be_claimed_but_not_read(table, enqueue, raw, text):
    job_id = enqueue()
    raw.execute("UPDATE continuable_jobs SET progress = ?", [text])
    claimed = table.claim_next("me")
    with pytest.raises(DeserializationError, match=f"progress of job '{job_id}'"):
        claimed.record()
    assert table.find(job_id).state is State.RUNNING
    assert table.reclaim(["me"], STOPPING)[0].id == job_id


def test_work_is_pending_until_all_is_done(table, enqueue):
    assert not table.is_any_pending()
    enqueue(id="a")
    assert table.is_any_pending()
    assert table.is_any_pending(["default"])
    assert not table.is_any_pending(["other"])
    claimed = table.claim_next("me")
    assert table.is_any_pending()
    table.end(RunResult(claimed, DONE))
    assert not table.is_any_pending()
    enqueue(id="later", wait=60)
    assert not table.is_any_pending(), "a job for later does not keep a draining worker"


@pytest.mark.parametrize("queues", [None, ["default"]])
def test_a_job_that_changes_hands_while_one_looks_is_pending_all_the_same(
    table, database, claimed, queues
):
    """A worker that drains the queue would leave it to nobody."""
    claimed(worker="dead")
    others = JobTable(JobDatabase(database.path, clock=database.clock))

    def recover_before(statement):
        if "running" in statement:
            others.reclaim(["dead"])

    with database.reading() as connection:
        connection.set_trace_callback(recover_before)
        assert table.is_any_pending(queues)
        connection.set_trace_callback(None)
    assert others.counts() == {State.INTERRUPTED: 1}
    others.database.close()
