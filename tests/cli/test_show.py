import json

import pytest

from continuable.cli.show import told
from continuable.model.info import HistoryEntry
from tests.cli.conftest import sentence
from tests.cli.showing.jobs import NOON


@pytest.fixture
def failed(call, jobs):
    """A job that has completed a step, was interrupted once and has failed in its second step."""
    app = jobs(
        """
        @app.job(resume_options={"wait": 0.0})
        def load(job, path, *, size=1):
            job.step(lambda: None, name="validate")
            job.notify("looked at", rows=[1, 2])

            @job.step(start=0)
            def read(step):
                step.total = 10
                if step.cursor < 7:
                    step.set(7)
                    step.done = 7
                    job.interrupt("tired")
                raise ValueError("no")
        """
    )
    call("run", app, "load", "ü.csv", "size=2", "--id", "x")
    return app


def test_a_job_is_shown_with_its_steps_its_place_its_error_and_its_history(call, failed):
    shown = call("show", failed, "x").stdout
    lines = shown.splitlines()
    assert lines[0].startswith("load[x]  failed  1 resumption")
    assert lines[1] == "  ✓ validate"
    assert "▸ read" in lines[2]
    assert "70 %  7 of 10  cursor 7" in lines[2]
    assert lines[3] == "  ValueError: no"
    module = failed.removesuffix(":app")
    for line in (
        f"job         {module}.load",
        'arguments   "ü.csv", size=2',
        "queue       default, priority 0",
        "executions  2, 1 resumption",
    ):
        assert line in lines
    for name in ("enqueued", "started", "finished"):
        assert f"\n{name:<12}20" in shown
    error, history = shown.partition("\nLast error\n")[2].split("\n\nHistory\n")
    assert error.startswith("Traceback (most recent call last):")
    assert error.endswith("ValueError: no")
    events = [line[21:] for line in history.splitlines()]
    assert events == [
        "looked at, rows [1, 2]",
        "interrupted (tired) at 'read', cursor 7, execution 1",
        "looked at, rows [1, 2]",
        "failed, execution 2: ValueError: no",
    ]


def test_json_has_result_traceback_and_history(call, failed):
    document = json.loads(call("show", failed, "x", "--json").stdout)
    assert (document["state"], document["resumptions"]) == ("failed", 1)
    assert (document["args"], document["kwargs"]) == (["ü.csv"], {"size": 2})
    assert document["result"] is None
    assert document["traceback"].startswith("Traceback")
    assert {"at", "event"} <= set(document["history"][0])
    interrupted = [e for e in document["history"] if e["event"] == "job.interrupted"]
    assert interrupted[0]["reason"] == "tired"


def test_a_completed_job_shows_what_it_returned(call, add):
    call("run", add, "add", "1", "b=2", "--id", "x")
    shown = call("show", add, "x").stdout
    assert "\nreturned    3\n" in shown
    assert "add[x]  completed  in " in shown


def test_a_job_is_shown_without_its_code(call, failed):
    assert "load[x]" in call("show", "sqlite:///jobs.db", "x").stdout


def test_a_dead_workers_job_says_so(call, add, table):
    call("enqueue", add, "add", "1", "--id", "x")
    table.claim_job("dead", "x")
    table.reclaim(["dead"])
    shown = call("show", add, "x").stdout
    assert "deaths      1 in a row: its worker died with it" in shown
    assert "interrupted (died)" in shown


def test_a_running_job_names_its_worker(call, add, table):
    call("enqueue", add, "add", "1", "--id", "x")
    table.claim_job("somebody", "x")
    assert "\nworker      somebody\n" in call("show", add, "x").stdout


def test_damaged_arguments_are_shown_as_they_are(call, add, table):
    call("enqueue", add, "add", "1", "--id", "x")
    with table.database.transaction() as connection:
        connection.execute("UPDATE continuable_jobs SET arguments = '[1'")
    assert "\narguments   [1 (damaged)\n" in call("show", add, "x").stdout


def test_a_job_that_is_not_there_is_not_found(call, add):
    shown = sentence(call("show", add, "nobody"), 3)
    assert shown == "No job 'nobody': it was never enqueued here, or has been pruned"


def test_the_app_may_come_from_the_environment(call, add):
    call("enqueue", add, "add", "1", "--id", "x")
    assert "add[x]" in call("show", "x", CONTINUABLE_APP=add).stdout
    assert sentence(call("show", "x"), 2).startswith("Say which app")


@pytest.mark.parametrize(
    ("event", "data", "line"),
    [
        ("job.retried", {"wait": 200.0, "error": "no"}, "retried, wait 3 min 20 s: no"),
        ("job.restarted", {"from": "failed"}, "restarted, from failed"),
        ("tired", {"description": [1], "reason": {"a": 1}}, "tired ({'a': 1}) [1]"),
        ("tired", {"wait": "long", "rows": [], "none": None}, "tired, wait long, rows []"),
    ],
)
def test_an_entry_of_the_history_is_a_line_whatever_the_job_has_noted(event, data, line):
    assert told(HistoryEntry(NOON, event, data)) == line
