import pytest

from continuable import App
from continuable.core.interrupt import STOPPING
from continuable.core.options import DEFAULTS
from continuable.model.payload import JobRecord
from continuable.model.states import State
from continuable.progress import Save
from continuable.progress.lifecycle import place_of
from continuable.progress.row import new_row
from continuable.queues.embedded.queue import EmbeddedQueue


def die(table, claim, cursor=None, *, made_progress=True):
    if cursor is not None:
        document = f'{{"completed":["a"],"current":["process_records",{cursor}]}}'
        table.save([Save(claim.id, claim.fence, claim.worker, 1, document, made_progress)])
    return table.reclaim([claim.worker])[0]


def test_the_jobs_of_a_dead_worker_resume_at_once(table, claimed):
    job, other = claimed(worker="dead"), claimed(worker="alive")
    recovered = die(table, job, 51001)
    assert (recovered.id, recovered.state, recovered.reason) == (job.id, State.INTERRUPTED, "died")
    assert recovered.description == "at 'process_records', cursor 51001"
    again = table.claim_next("next")
    assert (again.id, again.fence, again.executions, again.resumptions) == (job.id, 3, 2, 1)
    assert table.find(job.id).deaths == 1
    assert table.find(other.id).worker == "alive"
    assert [entry.event for entry in table.history(job.id)] == ["job.died"]


def test_a_job_is_recovered_once(table, claimed):
    claimed(worker="dead")
    assert len(table.reclaim(["dead"])) == 1
    assert table.reclaim(["dead"]) == []


@pytest.mark.parametrize(
    ("state", "after"),
    [("pausing", State.PAUSED), ("cancelling", State.CANCELLED), ("running", State.INTERRUPTED)],
)
def test_what_was_asked_of_a_job_takes_effect_when_its_worker_dies(
    table, claimed, raw, state, after
):
    job = claimed(worker="dead")
    raw.execute("UPDATE continuable_jobs SET state = ?", [state])
    assert table.reclaim(["dead"])[0].state is after
    assert (table.find(job.id).finished_at is not None) is after.is_finished


def test_a_job_that_kills_its_workers_without_progress_fails(table, claimed):
    job = claimed()
    die(table, job, 51001)
    assert die(table, table.claim_next("me")).state is State.INTERRUPTED
    recovered = die(table, table.claim_next("me"))
    assert recovered.state is State.FAILED
    error = (
        "Killed its worker 3 times in a row without progress, "
        "last at 'process_records', cursor 51001"
    )
    assert (recovered.error, table.find(job.id).error) == (error, error)
    assert recovered.description == "at 'process_records', cursor 51001"
    assert table.claim_next("me") is None
    assert table.history(job.id)[-1].event == "job.failed"


@pytest.fixture
def options(table):
    """Declare the job `app.job` with options."""

    def options(**given):
        app = App()
        app.job(name="app.job", **given)(lambda job: None)
        table.know(app.jobs)

    return options


def test_the_jobs_of_an_app_are_those_whose_options_count(path):
    queue = EmbeddedQueue(path)
    app = App(queue=queue)
    app.job(name="later")(lambda job: None)
    assert "later" in queue.table._jobs


@pytest.mark.parametrize(("most", "words"), [(1, "once"), (5, "5 times in a row")])
def test_a_job_says_how_often_it_may_kill_its_worker(table, claimed, options, most, words):
    options(max_deaths=most)
    job = claimed()
    for _ in range(most - 1):
        assert die(table, job).state is State.INTERRUPTED
        job = table.claim_next("me")
    assert die(table, job).state is State.FAILED
    info = table.find(job.id)
    assert info.error == f"Killed its worker {words} without progress, last before its first step"
    assert (info.deaths, info.resumptions) == (most, most - 1)


def test_a_job_whose_code_is_not_here_may_die_as_often_as_any(table, claimed):
    job = claimed(name="of another app")
    for _ in range(DEFAULTS.max_deaths - 1):
        assert die(table, job).state is State.INTERRUPTED
        job = table.claim_next("me")
    assert die(table, job).state is State.FAILED


def test_a_job_that_has_failed_is_retried_with_its_deaths_forgiven(table, claimed, options):
    options(max_deaths=1)
    job = claimed()
    die(table, job, 7)
    info = table.request(job.id, "retry").info
    assert (info.state, info.deaths, info.cursor) == (State.INTERRUPTED, 0, 7)


@pytest.mark.parametrize("most", [0, 2])
def test_a_death_is_a_resumption_of_which_a_job_says_how_many_it_allows(
    table, claimed, options, most
):
    options(max_resumptions=most)
    job = claimed()
    for cursor in range(most):
        assert die(table, job, cursor).state is State.INTERRUPTED
        job = table.claim_next("me")
    assert die(table, job, 41).state is State.FAILED
    info = table.find(job.id)
    assert info.error == (
        f"continuable.errors.ResumeLimitError: Job was resumed a maximum of {most} times, "
        "last at 'process_records', cursor 41"
    )
    assert (info.resumptions, info.cursor) == (most, 41)


def test_a_job_that_is_given_up_keeps_to_its_resumptions_too(table, claimed, options):
    options(max_resumptions=0)
    job = claimed()
    assert table.reclaim(["me"], STOPPING)[0].state is State.FAILED
    assert "a maximum of 0 times" in table.find(job.id).error


@pytest.mark.parametrize(("state", "after"), [("pausing", "paused"), ("cancelling", "cancelled")])
def test_what_was_asked_of_a_job_wins_over_its_limits(table, claimed, options, raw, state, after):
    options(max_deaths=1, max_resumptions=0)
    claimed(worker="dead")
    raw.execute("UPDATE continuable_jobs SET state = ?", [state])
    assert table.reclaim(["dead"])[0].state == after


def test_a_save_of_new_progress_forgives_deaths(table, claimed):
    claim = claimed()
    for cursor in range(5):
        assert die(table, claim, cursor).state is State.INTERRUPTED
        claim = table.claim_next("me")
    assert table.find(claim.id).deaths == 1


def test_a_save_of_the_same_progress_forgives_none(table, claimed):
    claim = claimed()
    assert die(table, claim, 7).state is State.INTERRUPTED
    claim = table.claim_next("me")
    assert die(table, claim, 7, made_progress=False).state is State.INTERRUPTED
    claim = table.claim_next("me")
    assert die(table, claim, 7, made_progress=False).state is State.FAILED


def test_a_worker_that_gives_up_hands_its_jobs_back_and_they_are_fenced(table, claimed):
    job = claimed()
    table.save([Save(job.id, job.fence, job.worker, 1, '{"completed":["a"]}')])
    handed = table.reclaim(["me"], STOPPING)
    assert (handed[0].reason, handed[0].state) == ("stopping", State.INTERRUPTED)
    assert handed[0].description == "after 'a'"
    assert table.save([Save(job.id, job.fence, job.worker, 2, '{"completed":["a","b"]}')]) == [
        job.id
    ]
    info = table.find(job.id)
    assert (info.deaths, info.resumptions, info.completed) == (0, 1, ["a"])
    assert table.claim_next("other").id == job.id


def test_the_workers_that_hold_jobs_are_known(table, claimed):
    claimed(worker="a")
    claimed(worker="a")
    claimed(worker="b")
    assert sorted(table.workers()) == ["a", "b"]


@pytest.mark.parametrize(
    ("progress", "place"),
    [
        ("{}", "before its first step"),
        ('{"completed":["a","b"],"current":null}', "after 'b'"),
        ('{"current":["a",null]}', "at 'a', cursor null"),
        ("{oops", "before its first step"),
        ("[]", "before its first step"),
        ("[" * 100_000, "before its first step"),
    ],
)
def test_a_place_is_told_in_words(progress, place):
    row = new_row(JobRecord(id="job", name="job"), 0.0)
    row.progress = progress
    assert place_of(row) == place
