"""The functions by which a test looks at the world and sets it back."""

import sqlite3
from contextlib import closing
from itertools import pairwise

import pytest

from continuable.testing import NotRepeatableError, check_resumable


def test_without_observe_the_value_of_the_job_is_compared(app):
    @app.job
    def work(job):
        return job.step(lambda: 3, name="a")

    assert check_resumable(work).runs == 3


def test_reset_comes_before_every_run(app, world):
    resets = []

    @app.job
    def work(job):
        assert world == []
        job.step(lambda: None, name="a")

    found = check_resumable(work, reset=lambda: resets.append(1))
    assert len(resets) >= found.runs + 1


def test_a_world_that_is_changed_in_place_is_compared_as_it_was(app, world):
    rows = {"rows": []}

    @app.job
    def work(job):
        job.step(lambda: rows["rows"].append(1) if not rows["rows"] else None, name="a")
        job.step(lambda: None, name="b")

    found = check_resumable(work, observe=lambda: rows, reset=rows["rows"].clear)
    assert found.runs == 7
    assert rows == {"rows": [1]}


def test_a_missing_reset_is_told(app, world):
    @app.job
    def work(job):
        job.step(lambda: world.append("a"), name="a")

    with pytest.raises(NotRepeatableError) as caught:
        check_resumable(work, observe=lambda: [*world])
    assert str(caught.value) == (
        "There is no reset= that makes the world what it was before the job:\n"
        "  too much: 'a'\n"
        "Each run must begin as the first one did: undo all that observe= can see of the job."
    )
    assert isinstance(caught.value, AssertionError)


def test_a_reset_that_leaves_something_is_told(app, world):
    mails = []

    @app.job
    def work(job):
        job.step(lambda: world.append("a"), name="a")
        job.step(lambda: mails.append("b"), name="b")

    with pytest.raises(NotRepeatableError, match=r"^reset= does not make the world what it was"):
        check_resumable(work, observe=lambda: (world, mails), reset=world.clear)


def test_a_job_that_changes_nothing_needs_no_reset(app, world):
    @app.job
    def work(job):
        job.step(lambda: None, name="a")

    assert check_resumable(work, observe=lambda: [*world]).runs == 3


def test_what_cannot_be_seen_before_the_job_has_run_is_no_matter(app, passes, tmp_path):
    path = tmp_path / "report.txt"

    @app.job
    def work(job):
        job.step(lambda: path.write_text("done") and None, name="write")

    passes(work, observe=path.read_text, reset=lambda: path.unlink(missing_ok=True))


def test_a_result_that_is_never_the_same_is_told_as_such(app, world, check):
    runs = []

    @app.job(name="work")
    def work(job):
        runs.append(None)
        job.step(lambda: world.append(len(runs)), name="a")

    with pytest.raises(NotRepeatableError) as caught:
        check(work)
    first, *_, advice = str(caught.value).splitlines()
    assert first == "work comes to another result each time, even undisturbed:"
    assert advice.startswith("Let observe= leave out what is never the same twice")


def test_checkpoints_that_are_not_the_same_each_time_are_told(app, world, check):
    runs = []

    @app.job(name="work")
    def work(job):
        runs.append(None)

        @job.step(start=0)
        def go(step):
            while step.cursor < (3 if len(runs) == 1 else 1):
                step.advance()

    with pytest.raises(NotRepeatableError, match="work did not come to the same point a second "):
        check(work)


def test_coroutine_functions_are_awaited(app, world):
    @app.job
    def work(job):
        job.step(lambda: world.append("a") if not world else None, name="a")

    async def observe():
        return [*world]

    async def reset():
        world.clear()

    assert check_resumable(work, observe=observe, reset=reset).runs == 3


def test_an_exception_of_observe_after_a_strike_is_in_the_report(app, world, report):
    @app.job
    def work(job):
        job.step(lambda: world.append("a"), name="a")

    def observe():
        assert len(world) < 2, "the table is corrupt"

    assert "raised AssertionError: the table is corrupt" in report(work, observe=observe).text


# What dies with the process


def test_a_cache_in_a_module_is_found_by_forgetting_it(app, world, report, passes):
    cache = {}

    @app.job
    def work(job):
        job.step(lambda: cache.update(total=3), name="count")
        job.step(lambda: world.append(cache.get("total")) if not world else None, name="report")

    def reset():
        world.clear()
        cache.clear()

    passes(work, reset=reset)
    found = report(work, reset=reset, forget=cache.clear)
    assert found.causes == ["state in a local variable across steps"]


def test_the_open_transaction_of_a_shared_connection_is_found_by_rolling_it_back(
    app, report, passes
):
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE rows (number PRIMARY KEY)")

        @app.job
        def work(job):
            @job.step(start=0)
            def insert(step):
                for number in range(step.cursor, 6):
                    database.execute("INSERT OR IGNORE INTO rows VALUES (?)", (number,))
                    step.advance(past=number)
                    if number % 3 == 2:
                        database.commit()

        table = {
            "observe": lambda: database.execute("SELECT number FROM rows").fetchall(),
            "reset": lambda: (database.execute("DELETE FROM rows"), database.commit()),
        }
        passes(work, **table)
        assert "missing: (0,)" in report(work, **table, forget=database.rollback).text


def test_forget_comes_before_each_execution(app, check):
    told = []

    @app.job
    def work(job):
        told.append(job.executions)
        job.step(lambda: None, name="a")
        job.step(lambda: None, name="b", isolated=True)

    check(work, faults=["interrupt"], observe=None, forget=lambda: told.append("forget"))
    assert [entry for entry in told if entry != "forget"] == [1, 2, 1, 2]
    assert all(before == "forget" for before, entry in pairwise(told) if entry != "forget")


def test_forget_comes_before_reset(app, check):
    told = []

    @app.job
    def work(job):
        told.append("run")

    check(
        work,
        observe=None,
        forget=lambda: told.append("forget"),
        reset=lambda: told.append("reset"),
    )
    assert " ".join(told).count("forget reset run") == 2


def test_an_exception_of_reset_comes_out(app, check):
    resets = []

    @app.job
    def work(job):
        job.step(lambda: None, name="a")

    def reset():
        resets.append(None)
        if len(resets) > 3:
            raise OSError("the database is gone")

    with pytest.raises(OSError, match="the database is gone"):
        check(work, reset=reset)
