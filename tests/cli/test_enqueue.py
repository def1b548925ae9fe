import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from continuable.model.states import State
from tests.cli.conftest import sentence

OPTIONS = """
    @app.job(queue="imports", priority=2)
    def load(job, path, *, rows=10): ...
    """


def test_a_job_is_put_on_its_queue_and_its_id_is_printed(call, jobs, table):
    result = call("enqueue", jobs(OPTIONS), "load", "orders.csv", "rows=5")
    (job,) = table.list()
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"{job.id}\n", "")
    assert json.loads(job.arguments) == [["orders.csv"], {"rows": 5}]
    assert (job.queue, job.priority, job.state, job.run_at) == ("imports", 2, State.WAITING, None)


def test_arguments_that_begin_with_a_dash_come_after_two(call, jobs, table):
    assert call("enqueue", jobs(OPTIONS), "load", "--", "--path", "-1").exit_code == 2
    assert call("enqueue", jobs(OPTIONS), "load", "--", "--path").exit_code == 0
    assert json.loads(table.list()[0].arguments) == [["--path"], {}]


def test_options_win_over_those_of_the_job(call, jobs, table):
    options = ("--queue", "mail", "--priority", "-3", "--id", "mine", "--unique", "key")
    assert call("enqueue", jobs(OPTIONS), "load", "x", *options).stdout == "mine\n"
    job = table.find("mine")
    assert (job.queue, job.priority) == ("mail", -3)


def test_in_delays_the_start(call, add, table):
    before = datetime.now(UTC)
    call("enqueue", add, "add", "1", "--in", "1h30m")
    (job,) = table.list()
    wait = job.run_at - before
    assert timedelta(hours=1.5) <= wait <= timedelta(hours=1.5, minutes=1)


@pytest.mark.parametrize(
    ("typed", "moment"),
    [
        ("2036-12-24T18:00+01:00", datetime(2036, 12, 24, 17, tzinfo=UTC)),
        ("2036-12-24 18:00Z", datetime(2036, 12, 24, 18, tzinfo=UTC)),
        ("2036-12-24 18:00", datetime.fromisoformat("2036-12-24T18:00").astimezone(UTC)),
    ],
)
def test_at_says_when_it_starts(call, add, table, typed, moment):
    call("enqueue", add, "add", "1", "--at", typed)
    assert table.list()[0].run_at == moment


def test_a_moment_that_is_over_is_now(call, add, table):
    call("enqueue", add, "add", "1", "--at", "2020-01-01")
    assert table.claim_next("me") is not None


def test_in_and_at_exclude_each_other(call, add):
    told = sentence(call("enqueue", add, "add", "1", "--in", "1h", "--at", "2036-01-01"), 2)
    assert told == "--in and --at exclude each other: both say when it starts"


def test_a_taken_id_is_told(call, add):
    call("enqueue", add, "add", "1", "--id", "x")
    told = sentence(call("enqueue", add, "add", "1", "--id", "x"), 1)
    assert told.startswith("Job 'x' already exists (waiting): choose another id")


def test_a_unique_key_that_is_held_gives_the_id_of_its_holder(call, add, table):
    call("enqueue", add, "add", "1", "--unique", "k", "--id", "first")
    result = call("enqueue", add, "add", "2", "--unique", "k")
    assert (result.exit_code, result.stdout) == (0, "first\n")
    assert result.stderr == "An unfinished job has the key 'k' already: this is its id\n"
    assert len(table.list()) == 1


def test_json_says_whether_it_is_new(call, add):
    first = json.loads(call("enqueue", add, "add", "1", "--unique", "k", "--json").stdout)
    second = json.loads(call("enqueue", add, "add", "1", "--unique", "k", "--json").stdout)
    assert (first["is_new"], second["is_new"]) == (True, False)
    assert first["id"] == second["id"]


def test_the_app_may_come_from_the_environment(call, add, table):
    assert call("enqueue", "add", "1", CONTINUABLE_APP=add).exit_code == 0
    assert len(table.list()) == 1


@pytest.mark.parametrize(
    ("words", "exit_code", "told"),
    [
        (["add"], 2, "missing a required argument: 'a'"),
        (["add", "1", "2", "3"], 2, "too many positional arguments"),
        (["add", "1", "a=2"], 2, "multiple values for argument 'a'"),
        (["sub", "1"], 3, "has no job 'sub': it has"),
        ([], 2, "Say which job"),
    ],
)
def test_what_cannot_be_enqueued_is_told_and_is_not(call, add, folder, words, exit_code, told):
    assert told in sentence(call("enqueue", add, *words), exit_code)
    assert not (folder / "jobs.db").exists()


def test_a_database_has_no_code_to_enqueue(call, add):
    call("enqueue", add, "add", "1")
    told = sentence(call("enqueue", "sqlite:///jobs.db", "add", "1"), 3)
    assert told.startswith("The app has no job 'add': it has none at all")


def test_another_queue_takes_jobs_as_well(call, elsewhere):
    assert call("enqueue", elsewhere, "add", "1", "--id", "x").stdout == "x\n"
    assert "add[x]" in call("show", elsewhere, "x").stdout


def test_waiting_time_starts_when_it_is_enqueued(call, add, table):
    call("enqueue", add, "add", "1", "--in", "10ms")
    deadline = time.monotonic() + 10
    while table.claim_next("me") is None:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_what_no_queue_can_hold_is_a_sentence(call, add):
    told = sentence(call("enqueue", add, "add", "1", "--priority", "4294967296"), 2)
    assert told == "priority is an integer of at most 32 bits, not 4294967296"
