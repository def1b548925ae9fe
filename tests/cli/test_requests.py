"""pause, resume, cancel, retry, restart, discard and prune."""

import json
import os
from datetime import UTC, datetime

import pytest

from continuable.core.outcome import Completed, ErrorReport, Failed
from continuable.model.states import State
from continuable.queues.embedded.liveness import WorkerLock
from continuable.worker.runner import RunResult
from tests.cli.conftest import sentence


@pytest.fixture
def waiting(call, add):
    """An app with a waiting job `x`."""
    call("enqueue", add, "add", "1", "--id", "x")
    return add


@pytest.fixture
def running(waiting, table):
    """The same job, run by a worker that is alive."""
    lock = WorkerLock(table.database.path, "alive")
    lock.acquire()
    table.claim_job("alive", "x")
    yield waiting
    lock.release()


@pytest.fixture
def failed(call, jobs):
    """An app with a failed job `x`."""
    app = jobs("@app.job\ndef fail(job): 1 / 0")
    call("run", app, "fail", "--id", "x")
    return app


def test_a_waiting_job_is_held_and_carries_on(call, waiting, table):
    result = call("pause", waiting, "x")
    assert result.stdout == "add[x] is paused: `continuable resume` lets it carry on\n"
    assert table.find("x").state is State.PAUSED
    assert table.claim_next("me") is None
    result = call("resume", waiting, "x")
    assert result.stdout.endswith(": the next free worker carries on with it\n")
    assert table.claim_next("me").id == "x"


def test_a_running_job_is_asked(call, running, table):
    result = call("pause", running, "x")
    assert result.stdout == "add[x] is pausing: it is held at its next checkpoint\n"
    result = call("cancel", running, "x")
    assert result.stdout == "add[x] is cancelling: it stops for good at its next checkpoint\n"
    assert table.find("x").state is State.CANCELLING


def test_a_waiting_job_is_cancelled_at_once(call, waiting, table):
    assert call("cancel", waiting, "x").stdout == "add[x] is cancelled\n"
    assert table.find("x").state is State.CANCELLED


def test_a_failed_job_is_run_again(call, failed, table):
    assert "the next free worker carries on" in call("retry", failed, "x").stdout
    assert table.find("x").state is State.INTERRUPTED


def test_a_job_is_restarted_from_any_state(call, failed, table):
    assert call("restart", failed, "x").stdout == (
        "fail[x] is waiting: the next free worker takes it\n"
    )
    assert table.find("x").state is State.WAITING


@pytest.mark.parametrize("verb", ["pause", "resume", "cancel", "retry", "restart"])
def test_json_is_the_job_as_it_is_now(call, jobs, table, verb):
    app = jobs("@app.job\ndef fail(job): 1 / 0")
    call("enqueue", app, "fail", "--id", "x")
    if verb in {"resume", "retry"}:
        call("pause" if verb == "resume" else "cancel", app, "x")
    document = json.loads(call(verb, app, "x", "--json").stdout)
    assert document["state"] == table.find("x").state.value


@pytest.mark.parametrize(
    ("verb", "told"),
    [
        ("resume", "Cannot resume job 'x': it is failed (resume works on paused, pausing,"),
        ("pause", "Cannot pause job 'x': it is failed (pause works on waiting,"),
        ("cancel", "Cannot cancel job 'x': it is failed (cancel works on waiting,"),
    ],
)
def test_what_the_state_does_not_allow_is_told(call, failed, verb, told):
    assert sentence(call(verb, failed, "x"), 1).startswith(told)


@pytest.mark.parametrize("verb", ["pause", "resume", "cancel", "retry", "restart", "discard"])
def test_a_job_that_is_not_there_is_not_found(call, add, verb):
    assert sentence(call(verb, add, "nobody"), 3).startswith("No job 'nobody'")


@pytest.mark.parametrize("verb", ["pause", "resume", "cancel", "retry", "restart", "discard"])
def test_one_job_at_a_time(call, add, verb):
    assert sentence(call(verb, add, "1", "2"), 2) == "Only one job at a time: '1 2' names more"


def test_a_job_is_steered_without_its_code(call, waiting, table):
    assert call("cancel", "sqlite:///jobs.db", "x").exit_code == 0
    assert table.find("x").state is State.CANCELLED


def test_a_unique_key_that_went_to_another_job_is_told(call, add):
    call("enqueue", add, "add", "1", "--id", "x", "--unique", "k")
    call("cancel", add, "x")
    call("enqueue", add, "add", "1", "--id", "y", "--unique", "k")
    told = sentence(call("retry", add, "x"), 1)
    assert "the unfinished job 'y' has its unique key 'k' now" in told


# --- discard


def test_a_discarded_job_is_forgotten(call, failed, table):
    assert call("discard", failed, "x").stdout == "Job x is forgotten; it was failed\n"
    assert table.list() == []


def test_json_names_the_discarded_job(call, waiting):
    assert json.loads(call("discard", waiting, "x", "--json").stdout) == {"discarded": "x"}


def test_a_running_job_is_not_discarded(call, running, table):
    told = sentence(call("discard", running, "x"), 1)
    assert told == "Job 'x' is running: `continuable cancel x` comes first"
    assert table.find("x").state is State.RUNNING


# --- prune


@pytest.fixture
def old(call, waiting, table):
    """The job `x` that has finished an hour ago, and `y` that has finished just now."""
    call("enqueue", waiting, "add", "1", "--id", "y")
    for job_id in ("x", "y"):
        table.end(RunResult(table.claim_job("me", job_id), Completed(result="null", progress=None)))
    an_hour_ago = datetime.now(UTC).timestamp() - 3600
    with table.database.transaction() as connection:
        connection.execute(
            "UPDATE continuable_jobs SET finished_at = ? WHERE id = 'x'", [an_hour_ago]
        )
    return waiting


def test_only_jobs_that_are_finished_for_so_long_are_forgotten(call, old, table):
    assert call("prune", old, "--older-than", "2h").stdout == "0 finished jobs forgotten\n"
    assert call("prune", old, "--older-than", "30m").stdout == "1 finished job forgotten\n"
    assert [job.id for job in table.list()] == ["y"]


def test_json_counts_the_forgotten(call, old):
    assert json.loads(call("prune", old, "--older-than", "0", "--json").stdout) == {"pruned": 2}


def test_failed_jobs_stay_unless_they_are_meant(call, waiting, table):
    failed = Failed(
        error=ValueError("no"),
        report=ErrorReport("ValueError: no", ""),
        progress="{}",
        made_progress=False,
        may_retry=False,
    )
    table.end(RunResult(table.claim_job("me", "x"), failed))
    age = ("--older-than", "0")
    assert call("prune", waiting, *age).stdout == "0 finished jobs forgotten\n"
    assert call("prune", waiting, *age, "--failed").stdout == "1 finished job forgotten\n"


def test_jobs_that_are_not_finished_are_never_pruned(call, waiting, table):
    call("prune", waiting, "--older-than", "0")
    assert [job.id for job in table.list()] == ["x"]


def test_the_age_may_come_from_the_environment(call, old):
    assert "1 finished job" in call("prune", old, CONTINUABLE_PRUNE_OLDER_THAN="30m").stdout
    assert os.environ.get("CONTINUABLE_PRUNE_OLDER_THAN") is None
