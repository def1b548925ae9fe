import json
import signal
from itertools import pairwise
from pathlib import Path

import pytest

from continuable.cli.watch import AT_ONCE, ActiveJobs
from continuable.core.outcome import Completed
from continuable.model.states import State
from continuable.worker.runner import RunResult
from tests.cli.conftest import sentence
from tests.cli.process import process

DONE = Completed(result="null", progress=None)


def ids(jobs):
    return [job.id for job in jobs]


# --- one job


@pytest.mark.parametrize("state", ["completed", "cancelled", "failed"])
def test_a_job_that_has_ended_is_told_at_once(call, jobs, state):
    app = jobs(
        """
        @app.job
        def end(job, state):
            if state == "cancelled":
                job.cancel("no rows")
            if state == "failed":
                raise ValueError("no")
            return 42
        """
    )
    call("run", app, "end", state, "--id", "x")
    result = call("watch", app, "x")
    assert result.exit_code == (0 if state == "completed" else 1)
    assert result.stdout.startswith(f"end[x] {state}")
    if state == "completed":
        assert result.stdout.endswith("end[x] returned 42\n")
    else:
        assert "`continuable retry x` goes on" in result.stderr


def test_a_job_is_watched_until_it_ends(walk, table):
    with process("run", walk, "walk", "--id", "x") as running:
        running.await_text("running")
        with process("watch", walk, "x") as watching:
            watching.await_text("step write: ")
            Path("hurry").touch()
            assert watching.wait() == running.wait() == 0
        told = watching.stdout.splitlines()
    assert "walk[x] step write completed" in told
    assert told[-2:] == ["walk[x] completed", "walk[x] returned 1000"]


def test_json_is_a_line_for_each_change_and_the_last_has_the_result(call, walk, table):
    call("enqueue", walk, "walk", "rows=40", "--id", "x")
    with process("watch", walk, "x", "--json") as watching:
        watching.await_text('"waiting"')
        call("run", walk, "walk", "rows=40", "--id", "x")
        assert watching.wait() == 0
        documents = [json.loads(line) for line in watching.stdout.splitlines()]
    assert documents[0]["state"] == "waiting"
    assert documents[-1]["state"] == "completed"
    assert documents[-1]["result"] == 40
    assert all(one != other for one, other in pairwise(documents))


def test_a_job_that_is_not_there_is_not_found(call, add):
    assert sentence(call("watch", add, "nobody"), 3).startswith("No job 'nobody'")


# --- all of them


def test_all_jobs_are_watched_until_ctrl_c(call, add, table):
    call("enqueue", add, "add", "1", "--id", "x")
    with process("watch", add) as watching:
        watching.await_text("add[x] waiting\n")
        table.end(RunResult(table.claim_job("me", "x"), DONE))
        watching.await_text("add[x] completed\n")
        assert watching.stop(signal.SIGINT) == 130
        assert watching.stderr == ""


def test_all_jobs_may_be_watched_as_json(call, add):
    call("enqueue", add, "add", "1", "--id", "x")
    with process("watch", add, "--json") as watching:
        watching.await_text('"id": "x"')
        assert watching.stop(signal.SIGINT) == 130
        assert json.loads(watching.stdout.splitlines()[0])["state"] == "waiting"


def test_jobs_under_way_come_first(call, add, table):
    for job_id in "abc":
        call("enqueue", add, "add", "1", "--id", job_id)
    table.claim_job("me", "b")
    assert ids(ActiveJobs(table)()) == ["b", "c", "a"]


def test_only_jobs_that_ended_while_they_were_watched_are_shown(call, add, table):
    for job_id in "ab":
        call("enqueue", add, "add", "1", "--id", job_id)
    table.end(RunResult(table.claim_job("me", "a"), DONE))
    look = ActiveJobs(table)
    assert ids(look()) == ["b"]
    table.end(RunResult(table.claim_job("me", "b"), DONE))
    assert [(job.id, job.state) for job in look()] == [("b", State.COMPLETED)]
    assert ids(look()) == ["b"]  # and stays


def test_a_job_that_begins_again_is_shown_once(call, add, table):
    call("enqueue", add, "add", "1", "--id", "a")
    look = ActiveJobs(table)
    look()
    table.end(RunResult(table.claim_job("me", "a"), DONE))
    look()
    table.request("a", "restart")
    assert [(job.id, job.state) for job in look()] == [("a", State.WAITING)]


def test_a_job_that_was_discarded_is_gone(call, add, table):
    for job_id in "ab":
        call("enqueue", add, "add", "1", "--id", job_id)
    look = ActiveJobs(table)
    look()
    table.discard("a")
    assert ids(look()) == ["b"]


def test_no_more_are_shown_than_fit(call, add, table):
    look = ActiveJobs(table)
    for number in range(2 * AT_ONCE):
        call("enqueue", add, "add", "1", "--id", number)
        look()
        table.end(RunResult(table.claim_job("me", str(number)), DONE))
    assert ids(look()) == [str(number) for number in range(AT_ONCE, 2 * AT_ONCE)]
    for number in range(2 * AT_ONCE):
        call("enqueue", add, "add", "1", "--id", f"new-{number}")
    assert ids(look())[:AT_ONCE] == [f"new-{n}" for n in range(2 * AT_ONCE - 1, AT_ONCE - 1, -1)]
