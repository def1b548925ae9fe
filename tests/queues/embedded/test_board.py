import pytest

from continuable.core.interrupt import STOPPING
from continuable.core.outcome import Completed, ErrorReport, Failed
from continuable.errors import JobNotFoundError
from continuable.model.states import State
from continuable.progress import Note
from continuable.worker.runner import RunResult

DONE = Completed(result="null", progress=None)


@pytest.fixture
def jobs(table, enqueue):
    """One completed, one running, one interrupted by a restart of its worker, two waiting."""
    for job_id in ("done", "running", "waiting"):
        enqueue(id=job_id, name=f"app.{job_id}", queue="x" if job_id == "waiting" else None)
    table.end(RunResult(table.claim_job("me", "done"), DONE))
    table.claim_job("me", "running")
    enqueue(id="later", name="app.waiting", wait=60)


def ids(jobs):
    return [job.id for job in jobs]


def test_jobs_are_listed_newest_first(table, jobs):
    assert ids(table.list()) == ["later", "waiting", "running", "done"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"states": [State.WAITING]}, {"waiting", "later"}),
        ({"states": [State.RUNNING, State.COMPLETED]}, {"running", "done"}),
        ({"states": []}, set()),
        ({"states": [State.FAILED]}, set()),
        ({"queue": "x"}, {"waiting"}),
        ({"name": "app.waiting"}, {"waiting", "later"}),
        ({"states": [State.WAITING], "name": "app.waiting", "queue": "x"}, {"waiting"}),
    ],
)
def test_a_list_is_narrowed_down(table, jobs, options, expected):
    assert set(ids(table.list(**options))) == expected
    assert set(ids(table.list(**options))) == expected


def test_jobs_are_counted_by_state(table, jobs):
    assert table.counts() == {State.WAITING: 2, State.RUNNING: 1, State.COMPLETED: 1}


def test_the_counts_are_right_with_every_kind_of_unfinished_job(table, jobs, raw):
    table.reclaim(["me"], STOPPING)
    raw.execute("UPDATE continuable_jobs SET state = 'interrupted' WHERE id = 'later'")
    assert table.counts() == {State.WAITING: 1, State.INTERRUPTED: 2, State.COMPLETED: 1}


def test_the_names_of_unfinished_jobs_are_known(table, jobs):
    assert table.names() == ["app.running", "app.waiting"]


def test_a_damaged_progress_can_be_looked_at(table, enqueue, raw):
    job_id = enqueue()
    raw.execute("UPDATE continuable_jobs SET progress = 'oops'")
    assert table.find(job_id).progress == {}
    assert len(table.list()) == 1


def test_old_finished_jobs_are_pruned_with_their_history(table, jobs, clock, raw):
    table.note("done", Note(0.0, "job.notified", "{}"))
    clock.pass_by(100)
    assert table.prune(101) == 0
    assert table.prune(99) == 1
    assert "done" not in ids(table.list())
    assert raw.execute("SELECT count(*) FROM continuable_jobs_history").fetchone() == (0,)


def test_failed_jobs_stay_unless_they_are_meant(table, enqueue, clock):
    claimed = table.claim_job("me", enqueue(id="failed"))
    report = ErrorReport("ValueError: no", "")
    table.end(
        RunResult(
            claimed,
            Failed(
                error=ValueError("no"),
                report=report,
                progress="{}",
                made_progress=False,
                may_retry=True,
            ),
        )
    )
    clock.pass_by(100)
    assert table.prune(99) == 0
    assert table.prune(99, failed=True) == 1


def test_what_has_finished_this_very_moment_is_as_old_as_nothing(table, enqueue, raw):
    enqueue()
    raw.execute("UPDATE continuable_jobs SET state = 'completed', finished_at = enqueued_at")
    assert table.prune(0.001) == 0
    assert table.prune(0) == 1


def test_no_more_than_asked_for_are_pruned(table, make, raw, clock):
    table.enqueue([make(f"j{n}") for n in range(1200)])
    raw.execute("UPDATE continuable_jobs SET state = 'completed', finished_at = enqueued_at")
    clock.pass_by(1)
    assert table.prune(0, limit=700) == 700
    assert table.prune(0) == 500


def test_more_jobs_than_fit_a_batch_are_pruned(table, make, raw, clock):
    table.enqueue([make(f"j{n}") for n in range(1200)])
    raw.execute("UPDATE continuable_jobs SET state = 'completed', finished_at = enqueued_at")
    clock.pass_by(1)
    assert table.prune(0) == 1200


def test_a_discarded_job_is_gone_and_its_execution_fenced(table, jobs):
    claimed = table.claim_job("me", "waiting")
    table.discard("waiting")
    assert table.end(RunResult(claimed, DONE)).state is None
    assert not table.discard("waiting")
    for verb in (table.find, table.history, table.result):
        with pytest.raises(JobNotFoundError):
            verb("waiting")
