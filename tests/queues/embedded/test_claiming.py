import pytest

from continuable.core.outcome import Completed
from continuable.errors import DeserializationError
from continuable.model.states import State
from continuable.queues.embedded.database import JobDatabase
from continuable.queues.embedded.table import JobTable
from continuable.worker.runner import Ran

DONE = Completed(result="null", progress=None)


def claim_all(table, queues=None):
    ids = []
    while (job := table.claim("me", queues)) is not None:
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
    claimed = table.claim("me")
    record = claimed.record()
    assert (record.id, record.name, record.arguments) == ("a", "app.import", '[["x.csv"],{"n":1}]')
    assert (claimed.fence, claimed.executions, record.executions, record.progress) == (1, 1, 1, {})
    row = table.find("a")
    assert (row.state, row.worker, row.executions) == (State.RUNNING, "me", 1)
    assert row.started_at is not None


def test_nobody_else_gets_a_claimed_job(table, enqueue):
    enqueue()
    assert table.claim("me") is not None
    assert table.claim("other") is None


def test_the_next_job_comes_with_the_settlement(table, enqueue):
    enqueue(id="a")
    enqueue(id="b", queue="x")
    enqueue(id="c")
    first = table.claim("me", ["default"])
    assert table.settle(Ran(first, DONE))
    table.claim_job("me", "b")
    third = table.turn_over(Ran(first, DONE), ["default"])
    assert (third.id, third.worker) == ("c", "me")
    assert table.turn_over(Ran(third, DONE)) is None


def test_of_several_queues_the_best_job_is_claimed(table, enqueue):
    enqueue(id="a")
    enqueue(id="b", queue="x", priority=1)
    enqueue(id="c")
    for queues in None, ["default", "x"]:
        claimed = table.claim("me", queues)
        assert claimed.id == "b"
        table.release(claimed)


def test_a_worker_claims_only_jobs_whose_code_it_has(table, enqueue):
    """Two apps, or two releases, may share a file."""
    for number in range(3):
        enqueue(id=f"theirs-{number}", name="theirs", queue="x", priority=9)
    enqueue(id="ours", name="ours", queue="x")
    enqueue(id="ours-later", name="ours")
    table.jobs = {"ours": None, "another": None}
    assert table.claim("me", ["default", "x"]).id == "ours"
    assert table.claim("me", ["x"]) is None
    assert table.claim("me").id == "ours-later"
    assert table.claim("me") is None
    assert table.pending()  # what it has claimed
    for job_id in ("ours", "ours-later"):
        table.discard(job_id)
    assert not table.pending()
    assert not table.pending(["x"])
    table.jobs = {"theirs": None}
    assert [table.claim("you").id for _ in range(3)] == ["theirs-0", "theirs-1", "theirs-2"]


def test_an_older_claim_writes_nothing_into_the_job_that_came_after_its_own(table, enqueue):
    """Be it by the number of the row or by the id: both are forgotten, and given anew."""
    first = enqueue(id="a")
    old = table.claim("old")
    table.discard(first)
    enqueue(id="a")
    new = table.claim("new")
    assert (new.fence, new.id) == (old.fence, old.id)
    assert new.seq != old.seq
    before = table.find("a")
    assert not table.settle(Ran(old, DONE))
    table.release(old)
    assert table.find("a") == before
    assert table.settle(Ran(new, DONE))


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
    assert table.claim("me") is None


def test_a_released_claim_is_as_if_it_had_not_been(table, enqueue):
    job_id = enqueue()
    claimed = table.claim("me")
    table.release(claimed)
    job = table.find(job_id)
    assert (job.state, job.executions, job.worker, job.started_at) == (State.WAITING, 0, None, None)
    assert not table.settle(Ran(claimed, DONE))
    assert table.claim("other").fence == 2


@pytest.mark.parametrize("text", ["{oops", "[1]", "[" * 100_000])
def test_a_damaged_row_can_be_claimed_but_not_read(table, enqueue, raw, text):
    job_id = enqueue()
    raw.execute("UPDATE continuable_jobs SET progress = ?", [text])
    claimed = table.claim("me")
    with pytest.raises(DeserializationError, match=f"progress of job '{job_id}'"):
        claimed.record()
    assert table.find(job_id).state is State.RUNNING
    assert table.hand_back("me")[0].id == job_id


def test_work_is_pending_until_all_is_done(table, enqueue):
    assert not table.pending()
    enqueue(id="a")
    assert table.pending()
    assert table.pending(["default"])
    assert not table.pending(["other"])
    claimed = table.claim("me")
    assert table.pending()
    table.settle(Ran(claimed, DONE))
    assert not table.pending()
    enqueue(id="later", wait=60)
    assert not table.pending(), "a job for later does not keep a draining worker"


@pytest.mark.parametrize("queues", [None, ["default"]])
def test_a_job_that_changes_hands_while_one_looks_is_pending_all_the_same(
    table, database, claimed, queues
):
    """A worker that drains the queue would leave it to nobody."""
    claimed(worker="dead")
    others = JobTable(JobDatabase(database.path, clock=database.clock))

    def recover_before(statement):
        if "running" in statement:
            others.recover(["dead"])

    with database.reading() as connection:
        connection.set_trace_callback(recover_before)
        assert table.pending(queues)
        connection.set_trace_callback(None)
    assert others.counts() == {State.INTERRUPTED: 1}
    others.database.close()
