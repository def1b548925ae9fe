import pytest

from continuable.core.outcome import Completed, ErrorReport, Failed
from continuable.model.states import State
from continuable.progress import Note
from continuable.queues.embedded import burst as bursts
from continuable.queues.embedded.burst import MOST, PATIENCE, SHORT, Burst
from continuable.queues.embedded.database import JobDatabase
from continuable.queues.embedded.ledger import Ledger
from continuable.queues.embedded.liveness import workers_folder
from continuable.queues.embedded.table import JobTable
from continuable.worker.runner import Ran

DONE = Completed(result="null", progress=None)


def failed():
    report = ErrorReport(summary="ValueError: no", traceback="")
    return Failed(
        error=ValueError(), report=report, progress="{}", made_progress=False, may_retry=True
    )


@pytest.fixture
def make(path, table, clock):
    def make(table=table):
        workers_folder(path).mkdir(exist_ok=True)
        return Burst(table, Ledger(path, "me", 0), "me", clock=clock)

    return make


@pytest.fixture
def ten(enqueue):
    return [enqueue() for _ in range(10)]


@pytest.fixture
def states(table, ten):
    return lambda: [table.find(job_id).state for job_id in ten]


UNTOLD, CURRENT, AHEAD = 4, 5, (6, 7)
"""Which of ten jobs are where, in the middle of a burst."""


def run_into(burst, table):
    """Run jobs that take no time until one has ended untold; the one that runs then."""
    claimed = table.claim("me")
    for _ in range(CURRENT):
        claimed = burst.follow(Ran(claimed, DONE), claims=True)
    return claimed


def test_more_and_more_short_jobs_are_claimed_at_a_time(make, table, enqueue):
    ids = [enqueue() for _ in range(3 * MOST)]
    burst = make()
    most, claimed = 0, table.claim("me")
    for job_id in ids:
        assert claimed.id == job_id
        most = max(most, table.counts()[State.RUNNING])
        claimed = burst.follow(Ran(claimed, DONE), claims=True)
    assert claimed is None
    assert most == MOST
    assert table.counts() == {State.COMPLETED: len(ids)}
    assert not burst.is_on


def test_long_jobs_are_claimed_one_at_a_time(make, table, enqueue, clock):
    ids = [enqueue() for _ in range(20)]
    burst, claimed = make(), table.claim("me")
    for job_id in ids:
        assert claimed.id == job_id
        assert table.counts()[State.RUNNING] == 1
        clock.pass_by(2 * SHORT)
        claimed = burst.follow(Ran(claimed, DONE), claims=True)


def test_jobs_that_turn_out_long_end_a_burst(make, table, ten, clock):
    burst = make()
    claimed = run_into(burst, table)
    assert burst.is_on
    clock.pass_by(MOST * SHORT)
    while burst.is_on:
        claimed = burst.follow(Ran(claimed, DONE), claims=True)
    assert table.counts()[State.RUNNING] == 1


def test_what_waits_for_too_long_is_told_and_handed_back(make, table, ten, states, clock, path):
    burst = make()
    claimed = run_into(burst, table)
    assert claimed.id == ten[CURRENT]
    told = ["completed"] * 4 + ["running"] * 4 + ["waiting"] * 2
    assert states() == told
    burst.settle_up(PATIENCE)
    assert states() == told
    clock.pass_by(2 * PATIENCE)
    burst.settle_up(PATIENCE)
    assert states() == ["completed"] * 5 + ["running"] + ["waiting"] * 4
    assert table.claim("other").id == ten[6]
    assert not burst.is_on
    assert burst.follow(Ran(claimed, DONE), claims=True).id == ten[7]
    assert [job.id for job in table.recover(["me"])] == [ten[7]]


def test_a_failure_is_written_at_once_with_what_ended_before(make, table, ten, states):
    burst = make()
    claimed = run_into(burst, table)
    assert burst.follow(Ran(claimed, failed()), claims=True).id == ten[6]
    assert states() == ["completed"] * 5 + ["failed"] + ["running"] * 2 + ["waiting"] * 2
    table.recover(["me"])
    assert [table.find(ten[number]).deaths for number in AHEAD] == [1, 0]


def test_what_a_job_wants_told_is_written_with_its_end(make, table, ten, states):
    burst = make()
    ran = Ran(run_into(burst, table), DONE, notes=[Note(1.0, "told", "{}")])
    assert burst.follow(ran, claims=True).id == ten[6]
    assert states()[CURRENT] == "completed"
    assert [entry.event for entry in table.history(ten[CURRENT])] == ["told"]


def test_a_worker_that_stops_hands_back_what_has_not_started(make, table, ten, states):
    burst = make()
    assert burst.follow(Ran(run_into(burst, table), DONE), claims=False) is None
    assert states() == ["completed"] * 6 + ["waiting"] * 4
    assert [table.find(job_id).executions for job_id in ten] == [1] * 6 + [0] * 4


def test_what_has_not_started_is_given_up(make, table, ten, states, path):
    burst = make()
    burst.give_up(run_into(burst, table))
    burst.close()
    assert states() == ["completed"] * 5 + ["waiting"] * 5
    assert list(workers_folder(path).glob("*.ledger")) == []


def test_a_job_that_was_taken_away_ends_nowhere(make, table, ten, states, caplog):
    burst = make()
    claimed = run_into(burst, table)
    table.request(ten[UNTOLD], "restart")
    burst.follow(Ran(claimed, DONE), claims=False)
    assert states() == ["completed"] * 4 + ["waiting", "completed"] + ["waiting"] * 4
    assert f"Job {ten[UNTOLD]} was taken over by a newer execution" in caplog.text


def test_a_table_that_is_busy_hears_of_it_later(make, table, ten, raw, states, monkeypatch):
    monkeypatch.setattr(bursts, "LOCK_WAIT", 0.0)
    burst = make()
    run_into(burst, table)
    raw.execute("BEGIN IMMEDIATE")
    burst.close()
    raw.execute("ROLLBACK")
    assert states() == ["completed"] * 4 + ["running"] * 4 + ["waiting"] * 2
    assert [job.id for job in table.recover(["me"])] == [ten[CURRENT]]
    assert states() == ["completed"] * 5 + ["interrupted"] + ["waiting"] * 4


def test_where_the_ledger_cannot_be_written_each_job_is_settled(make, table, ten, path, states):
    burst = make()
    workers_folder(path).rmdir()
    claimed = table.claim("me")
    for number, job_id in enumerate(ten):
        assert claimed.id == job_id
        claimed = burst.follow(Ran(claimed, DONE), claims=True)
        assert states()[number] == "completed"


def test_what_is_to_survive_a_power_cut_is_settled_one_by_one(make, path, clock, ten):
    table = JobTable(JobDatabase(path, durability="full", clock=clock))
    burst, claimed = make(table), table.claim("me")
    for job_id in ten:
        assert claimed.id == job_id
        assert table.counts()[State.RUNNING] == 1
        claimed = burst.follow(Ran(claimed, DONE), claims=True)
    table.database.close()
