"""For each usual cause a job that is found out, with that cause named, and its mended twin."""

import sqlite3
from contextlib import closing

import pytest

OUTSIDE = "a side effect outside a step"
CURSOR_FIRST = "the cursor is advanced before the effect"
NOT_IDEMPOTENT = "an effect that is not idempotent"
LOCAL_VARIABLE = "state in a local variable across steps"
NOT_WRITTEN = "state in a local variable, or in an open transaction, while the cursor moves on"
AT_THE_END = "work done after the last checkpoint"
ORDER = "the order of steps depends on something that changed between the executions"
NOT_COUNTED = "work that no cursor counts"


# A side effect outside a step


def test_a_side_effect_before_the_steps_is_found(app, world, report):
    @app.job
    def work(job):
        world.append("mail")
        job.step(lambda: world.once("a"), name="a")
        job.step(lambda: world.once("b"), name="b")

    found = report(work)
    assert found.causes == [OUTSIDE]
    assert "interrupt after 'a', before 'b'" in found.strikes


def test_a_side_effect_in_a_step_of_its_own_is_not(app, world, passes):
    @app.job
    def work(job):
        job.step(lambda: world.once("mail"), name="mail")
        job.step(lambda: world.once("a"), name="a")
        job.step(lambda: world.once("b"), name="b")

    passes(work)


def test_a_side_effect_between_two_steps_is_found(app, world, report):
    @app.job
    def work(job):
        job.step(lambda: world.once("a"), name="a")
        world.append("mail")
        job.step(lambda: world.once("b"), name="b")
        job.step(lambda: world.once("c"), name="c")

    assert report(work).causes == [OUTSIDE]


def test_a_table_emptied_outside_a_step_is_found(app, world, report):
    @app.job
    def work(job):
        world.clear()

        @job.step(start=0)
        def fill(step):
            for number in range(step.cursor, 3):
                world.once(number)
                step.advance(past=number)

    assert report(work).causes == [OUTSIDE]


def test_a_table_emptied_in_a_step_is_not(app, world, passes):
    @app.job
    def work(job):
        job.step(world.clear)

        @job.step(start=0)
        def fill(step):
            for number in range(step.cursor, 3):
                world.once(number)
                step.advance(past=number)

    passes(work)


# The cursor advanced before the effect


def test_a_cursor_that_moves_before_the_effect_is_found(app, world, report):
    @app.job
    def work(job):
        @job.step(start=0)
        def send(step):
            while step.cursor < 3:
                number = step.cursor
                step.advance()
                world.once(number)

    found = report(work)
    assert found.causes == [CURSOR_FIRST]
    assert "  - interrupt at 'send', cursor 2\n" in found.text
    assert "      missing: 1\n" in found.text


def test_a_cursor_that_moves_behind_the_effect_is_not(app, world, passes):
    @app.job
    def work(job):
        @job.step(start=0)
        def send(step):
            while step.cursor < 3:
                world.once(step.cursor)
                step.advance()

    passes(work)


def test_a_cursor_that_moves_before_the_effect_is_found_by_interruptions_alone(app, world, report):
    @app.job
    def work(job):
        @job.step(start=0)
        def send(step):
            for number in range(step.cursor, 3):
                step.set(number + 1)
                world.append(number)

    assert report(work, faults=["interrupt"]).causes == [CURSOR_FIRST]


# An effect that is not idempotent


def test_an_effect_that_must_not_come_twice_is_found(app, world, report):
    @app.job
    def work(job):
        @job.step(start=0)
        def send(step):
            while step.cursor < 3:
                world.append(step.cursor)
                step.advance()

    found = report(work)
    assert found.causes == [NOT_IDEMPOTENT]
    assert "kill at 'send', cursor 2, right before that was saved" in found.strikes
    assert not any("interrupt" in strike for strike in found.strikes)


def test_an_effect_under_a_key_is_not(app, world, passes):
    @app.job
    def work(job):
        @job.step(start=0)
        def send(step):
            while step.cursor < 3:
                world.once(f"{job.id}/{step.name}/{step.cursor}")
                step.advance()

    passes(work)


@pytest.fixture
def database():
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        database.execute("CREATE TABLE rows (number)")
        yield database


@pytest.fixture
def table(database):
    """How the table is looked at and emptied."""
    return {
        "observe": lambda: database.execute("SELECT number FROM rows").fetchall(),
        "reset": lambda: database.execute("DELETE FROM rows"),
    }


def test_rows_committed_without_their_cursor_are_found(app, database, table, report):
    @app.job
    def work(job):
        @job.step(start=0)
        def insert(step):
            while step.cursor < 3:
                database.execute("INSERT INTO rows VALUES (?)", (step.cursor,))
                step.advance()

    assert report(work, **table).causes == [NOT_IDEMPOTENT]


def test_rows_committed_with_their_cursor_are_not(app, database, table, passes):
    @app.job
    def work(job):
        @job.step(start=0)
        def insert(step):
            while step.cursor < 3:
                with step.transaction(database) as transaction:
                    database.execute("INSERT INTO rows VALUES (?)", (step.cursor,))
                    transaction.save(step.cursor + 1)

    passes(work, **table)


def test_a_counter_that_is_added_to_is_found(app, world, report):
    counts = {"rows": 0}

    @app.job
    def work(job):
        @job.step(start=0)
        def count(step):
            while step.cursor < 3:
                counts["rows"] += 1
                step.advance()

    found = report(work, observe=lambda: counts, reset=lambda: counts.update(rows=0))
    assert found.causes == [NOT_IDEMPOTENT]
    assert "['rows']: 4 instead of 3" in found.text


def test_an_effect_that_refuses_to_come_twice_is_found(app, world, report):
    @app.job
    def work(job):
        @job.step(start=0)
        def create(step):
            while step.cursor < 3:
                if step.cursor in world:
                    raise FileExistsError(f"there is a {step.cursor} already")
                world.append(step.cursor)
                step.advance()

    found = report(work)
    assert found.causes == [NOT_IDEMPOTENT]
    assert "raised FileExistsError: there is a 1 already" in found.text


# State in a local variable across steps


def test_a_variable_filled_by_an_earlier_step_is_found(app, world, report):
    @app.job
    def work(job):
        rows = []
        job.step(lambda: rows.extend("abc"), name="load")
        job.step(lambda: world.extend(row for row in rows if row not in world), name="save")

    found = report(work)
    assert found.causes == [LOCAL_VARIABLE]
    assert "missing: 'a', 'b', 'c'" in found.text


def test_a_value_returned_by_an_earlier_step_is_not(app, world, passes):
    @app.job
    def work(job):
        rows = job.step(lambda: [*"abc"], name="load")
        job.step(lambda: world.extend(row for row in rows if row not in world), name="save")

    passes(work)


def test_a_variable_that_is_not_there_on_a_resume_is_found(app, world, report):
    @app.job
    def work(job):
        found = {}
        job.step(lambda: found.update(total=3), name="count")
        job.step(lambda: world.once(found["total"]), name="report")

    found = report(work)
    assert found.causes == [LOCAL_VARIABLE]
    assert "raised KeyError: 'total'" in found.text


def test_a_sum_carried_to_the_next_step_is_found(app, world, report):
    @app.job
    def work(job):
        total = 0

        @job.step(start=0)
        def count(step):
            nonlocal total
            for number in range(step.cursor, 4):
                total += number
                step.advance(past=number)

        job.step(lambda: world.once(f"total {total}"), name="report")

    found = report(work)
    assert found.causes == [LOCAL_VARIABLE]
    assert "interrupt after 'count', before 'report'" in found.strikes


def test_a_sum_kept_in_the_state_of_the_job_is_not(app, world, passes):
    @app.job
    def work(job):
        @job.step(start=0)
        def count(step):
            for number in range(step.cursor, 4):
                job.state["total"] = job.state.get("total", 0) + number
                step.advance(past=number)

        job.step(lambda: world.once(f"total {job.state['total']}"), name="report")

    passes(work)


def test_a_value_made_anew_at_every_start_is_found(app, world, report):
    starts = []

    @app.job
    def work(job):
        starts.append(None)
        token = f"token {len(starts)}"
        job.step(lambda: world.append(f"a {token}"), name="a")
        job.step(lambda: world.append(f"b {token}"), name="b")

    def reset():
        world.clear()
        starts.clear()

    assert report(work, reset=reset, faults=["interrupt"]).causes == [LOCAL_VARIABLE]


def test_what_the_job_returns_is_looked_at_where_nothing_else_is(app, report, check):
    @app.job
    def work(job):
        total = 0

        @job.step(start=0)
        def count(step):
            nonlocal total
            for number in range(step.cursor, 4):
                total += number
                step.advance(past=number)

        return total

    found = report(work, observe=None)
    assert found.causes == [LOCAL_VARIABLE]
    assert "0 instead of 6" in found.text


# State in a local variable within a step


def test_a_sum_of_a_steps_own_is_found(app, report):
    @app.job
    def work(job):
        @job.step(start=0)
        def total(step):
            total = 0
            for number in range(step.cursor, 4):
                total += number
                step.advance(past=number)
            return total

        return total

    assert report(work, observe=None).causes == [NOT_WRITTEN]


def test_a_buffer_that_is_written_later_is_found(app, world, report):
    @app.job
    def work(job):
        @job.step(start=0)
        def copy(step):
            buffer = []
            for number in range(step.cursor, 6):
                buffer.append(number)
                step.advance(past=number)
                if len(buffer) == 3:
                    world.extend(number for number in buffer if number not in world)
                    buffer.clear()

    assert report(work).causes == [NOT_WRITTEN]


def test_a_buffer_that_is_written_before_the_cursor_moves_is_not(app, world, passes):
    @app.job
    def work(job):
        @job.step(start=0)
        def copy(step):
            while step.cursor < 6:
                for number in range(step.cursor, step.cursor + 3):
                    world.once(number)
                step.set(step.cursor + 3)

    passes(work)


def test_a_commit_that_lags_behind_the_cursor_is_found(app, tmp_path, report):
    path = tmp_path / "rows.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE rows (number PRIMARY KEY)")

    def execute(statement):
        with closing(sqlite3.connect(path)) as database, database:
            return database.execute(statement).fetchall()

    @app.job
    def work(job):
        with closing(sqlite3.connect(path)) as database:

            @job.step(start=0)
            def insert(step):
                for number in range(step.cursor, 6):
                    database.execute("INSERT OR IGNORE INTO rows VALUES (?)", (number,))
                    step.advance(past=number)
                    if number % 3 == 2:
                        database.commit()

    found = report(
        work,
        observe=lambda: execute("SELECT number FROM rows"),
        reset=lambda: execute("DELETE FROM rows"),
    )
    assert found.causes == [NOT_WRITTEN]
    assert "kill at 'insert', cursor 2, with all progress saved" in found.strikes


# Work done after the last checkpoint


def test_work_behind_the_last_step_is_found(app, world, report):
    @app.job
    def work(job):
        job.step(lambda: world.once("a"), name="a")
        world.append("mail")

    found = report(work)
    assert found.causes == [AT_THE_END]
    assert found.strikes == ["kill after 'a', before the job has ended, with all progress saved"]


def test_work_in_a_last_step_is_not(app, world, passes):
    @app.job
    def work(job):
        job.step(lambda: world.once("a"), name="a")
        job.step(lambda: world.once("mail"), name="mail")

    passes(work)


def test_a_job_without_steps_is_found(app, world, report):
    @app.job
    def work(job):
        world.append("mail")

    found = report(work)
    assert found.causes == [AT_THE_END]
    assert found.strikes == ["kill before the job has ended, with all progress saved"]


def test_work_before_a_job_cancels_itself_is_found(app, world, report):
    @app.job
    def work(job):
        job.step(lambda: world.once("a"), name="a")
        world.append("mail")
        job.cancel("no longer wanted")

    found = report(work)
    assert found.causes == [AT_THE_END]
    assert found.strikes == ["kill after 'a', before the job has ended, with all progress saved"]


# The order of the steps depends on something that changed


def test_steps_whose_order_depends_on_the_world_are_found(app, world, report):
    @app.job
    def work(job):
        names = ["b", "a"] if "a" in world else ["a", "b"]
        for name in names:
            job.step(lambda name=name: world.once(name), name=name)

    found = report(work)
    assert found.causes == [ORDER]
    assert "raised InvalidStepError: Step 'b' found, expected to see 'a'" in found.text


def test_steps_whose_order_was_decided_in_a_step_are_not(app, world, passes):
    @app.job
    def work(job):
        names = job.step(lambda: ["b", "a"] if "a" in world else ["a", "b"], name="decide")
        for name in names:
            job.step(lambda name=name: world.once(name), name=name)

    passes(work)


def test_a_step_that_depends_on_the_world_is_found(app, world, report):
    @app.job
    def work(job):
        if "a" not in world:
            job.step(lambda: world.once("a"), name="a")
        job.step(lambda: world.once("b"), name="b")

    found = report(work)
    assert found.causes == [ORDER]
    assert "raised InvalidStepError: Step 'b' found, expected to see 'a'" in found.text


# Work that no cursor counts


def test_work_at_the_top_of_a_step_is_found(app, world, report):
    @app.job
    def work(job):
        @job.step(start=0)
        def write(step):
            world.append("header")
            while step.cursor < 3:
                world.once(step.cursor)
                step.advance()

    assert report(work, faults=["interrupt"]).causes == [NOT_COUNTED]


def test_a_checkpoint_without_a_move_of_the_cursor_is_found(app, world, report):
    @app.job
    def work(job):
        @job.step
        def write(step):
            for number in range(3):
                world.append(number)
                step.checkpoint()

    assert report(work, faults=["interrupt"]).causes == [NOT_COUNTED]


def test_work_at_the_top_in_a_step_of_its_own_is_not(app, world, passes):
    @app.job
    def work(job):
        job.step(lambda: world.once("header"), name="header")

        @job.step(start=0)
        def write(step):
            while step.cursor < 3:
                world.once(step.cursor)
                step.advance()

    passes(work)


# Several at once


def test_two_causes_in_one_job_are_both_named(app, world, report):
    @app.job
    def work(job):
        world.append("started")

        @job.step(start=0)
        def send(step):
            while step.cursor < 3:
                number = step.cursor
                step.advance()
                world.once(number)

        job.step(lambda: world.once("b"), name="b")

    causes = report(work).causes
    assert OUTSIDE in causes
    assert CURSOR_FIRST in causes


def test_causes_in_different_steps_are_told_apart(app, world, report):
    @app.job
    def work(job):
        rows = []

        @job.step(start=0)
        def first(step):
            while step.cursor < 3:
                number = step.cursor
                step.advance()
                world.once(f"first {number}")

        job.step(lambda: rows.extend("xyz"), name="load")
        job.step(lambda: [world.once(row) for row in rows] and None, name="save")

    found = report(work, faults=["interrupt"])
    assert set(found.causes) == {CURSOR_FIRST, LOCAL_VARIABLE}


def test_a_single_strike_is_enough_to_tell_the_cause(app, world, report):
    @app.job
    def work(job):
        world.append("mail")

        @job.step(start=0)
        def send(step):
            while step.cursor < 3:
                world.once(step.cursor)
                step.advance()

    for number in range(15):
        found = report(work, strikes=[number])
        assert found.causes == [OUTSIDE]
        assert len(found.strikes) == 1
