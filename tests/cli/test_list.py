import json

import pytest

from continuable.model.states import State
from tests.cli.conftest import sentence


@pytest.fixture
def many(call, jobs, table):
    """A job in each of several states."""
    app = jobs(
        """
        @app.job
        def one(job, fails=False):
            @job.step(start=0)
            def read(step):
                step.total = 10
                if fails:
                    step.done = 7
                    raise ValueError("no")

        @app.job(queue="mail")
        def two(job): ...
        """
    )
    call("run", app, "one", "--id", "done")
    call("run", app, "one", "fails=true", "--id", "failed")
    for job_id in ("held", "waiting"):
        call("enqueue", app, "two", "--id", job_id)
    table.request("held", "pause")
    return app


def ids(result):
    """The first word of each line below the head."""
    return [line.split()[0] for line in result.stdout.splitlines()[1:]]


def test_jobs_are_listed_newest_first(call, many):
    result = call("list", many)
    assert ids(result) == ["waiting", "held", "failed", "done"]
    head, *lines = result.stdout.splitlines()
    assert head.split() == ["ID", "JOB", "STATE", "AT", "DONE", "RESUMED", "QUEUE", "ENQUEUED"]
    module = many.removesuffix(":app")
    assert lines[2].split("  ")[0] == "failed"
    for words in (f"{module}.one", "failed", "read cursor 0", "70 % 7 of 10", "default", " ago"):
        assert words in lines[2]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--state", "failed"], ["failed"]),
        (["--state", "failed", "--state", "waiting"], ["waiting", "failed"]),
        (["--queue", "mail"], ["waiting", "held"]),
        (["--job", "one"], ["failed", "done"]),
        (["--job", "one", "--state", "completed"], ["done"]),
        (["--limit", "2"], ["waiting", "held"]),
    ],
)
def test_options_narrow_the_list(call, many, options, expected):
    assert ids(call("list", many, *options)) == expected


def test_a_list_that_is_cut_says_so(call, many):
    assert call("list", many, "--limit", "2").stderr == (
        "There are more: --limit 20 shows up to that many.\n"
    )
    assert call("list", many, "--limit", "4").stderr == ""


def test_json_has_all_that_is_known(call, many):
    documents = json.loads(call("list", many, "--json").stdout)
    assert [document["id"] for document in documents] == ["waiting", "held", "failed", "done"]
    failed = documents[2]
    assert failed["state"] == "failed"
    assert documents[3]["completed"] == ["read"]
    assert (failed["step"], failed["cursor"], failed["done"], failed["total"]) == ("read", 0, 7, 10)
    assert failed["error"] == "ValueError: no"
    assert (failed["args"], failed["kwargs"]) == ([], {"fails": True})
    assert set(failed) == set(documents[0])


def test_no_jobs_are_an_empty_list_and_a_word_about_where(call, add, folder):
    assert call("list", add, "--json").stdout == "[]\n"
    result = call("list", add)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"No jobs in {folder}/jobs.db\n"
    assert call("list", add, "--state", "failed").stderr == f"No such jobs in {folder}/jobs.db\n"


def test_jobs_can_be_seen_without_their_code(call, many):
    assert ids(call("list", "sqlite:///jobs.db")) == ["waiting", "held", "failed", "done"]
    module = many.removesuffix(":app")
    listed = call("list", "sqlite:///jobs.db", "--job", f"{module}.one")
    assert ids(listed) == ["failed", "done"]


def test_a_damaged_row_is_shown_as_far_as_it_can_be(call, add, table):
    call("enqueue", add, "add", "1", "--id", "x")
    with table.database.transaction() as connection:
        connection.execute("UPDATE continuable_jobs SET arguments = '[', progress = '{'")
    assert ids(call("list", add)) == ["x"]
    (document,) = json.loads(call("list", add, "--json").stdout)
    assert (document["args"], document["kwargs"], document["step"]) == ("[", None, None)


def test_on_a_terminal_the_state_has_its_colour(call, many, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[31m" in call("list", many, "--state", "failed").stdout
    monkeypatch.delenv("FORCE_COLOR")
    assert "\x1b[" not in call("list", many).stdout


def test_two_apps_are_one_too_many(call, add):
    assert sentence(call("list", add, "other:app"), 2).startswith("Only one app at a time")


def test_every_state_can_be_asked_for(call, add):
    for state in State:
        assert call("list", add, "--state", state.value).exit_code == 0
