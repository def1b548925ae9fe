"""Jobs that use what others do not, do what they should not, or come to no ordinary end."""

import sqlite3
from contextlib import closing

import pytest

from continuable import App, Interrupt, InvalidStepError, ResumeLimitError
from continuable.sources import batches, lines, nested, sequence
from continuable.testing.resumability import trial

ALL = ("interrupt", "kill", "error", "duplicate")


# Everything that is kept across resumes


def test_isolated_steps_have_executions_of_their_own(app, world, passes):
    executions = set()

    @app.job
    def work(job):
        for name in "abc":
            job.step(lambda name=name: world.once(name), name=name, isolated=name == "b")
            executions.add((name, job.executions))

    passes(work)
    assert {("a", 1), ("b", 2), ("c", 3)} <= executions


def test_a_variable_is_lost_at_an_isolated_step_even_undisturbed(app, world, passes):
    @app.job
    def work(job):
        rows = []
        job.step(lambda: rows.append("a"), name="a")
        job.step(lambda: world.once(len(rows)), name="b", isolated=True)

    passes(work)
    assert world == [0]


def test_state_and_values_are_kept(app, world, passes):
    @app.job
    def work(job):
        first = job.step(lambda: {"rows": (1, 2)}, name="first")
        job.state.setdefault("seen", {1})

        @job.step(start=0)
        def second(step):
            for number in range(step.cursor, 3):
                job.state["seen"] |= {number + 10}
                step.advance(past=number)

        job.step(lambda: world.once((first["rows"], sorted(job.state["seen"]))), name="third")

    assert passes(work).runs > 20


def test_a_value_that_is_not_kept_is_the_same_on_every_run(app, world, passes):
    @app.job
    def work(job):
        value = job.step(lambda: "large", name="load", keep=False)
        job.step(lambda: world.once(value), name="save")

    passes(work)


def test_state_changed_outside_a_step_is_found(app, world, report):
    @app.job
    def work(job):
        job.state["starts"] = job.state.get("starts", 0) + 1
        job.step(lambda: None, name="a")
        job.step(lambda: world.once(f"starts {job.state['starts']}"), name="b")

    assert "too much: 'starts 2'" in report(work).text


def test_nested_sources_resume_in_their_middle(app, world, passes):
    @app.job
    def work(job):
        @job.step
        def copy(step):
            pairs = nested(sequence("abc"), lambda letter: sequence(range(2)))
            for pair in step.iterate(pairs):
                world.once(pair)

    assert passes(work).points > 6
    assert len(world) == 6


def test_sources_of_batches_and_files_resume_in_their_middle(app, world, passes, tmp_path):
    path = tmp_path / "lines.txt"
    path.write_text("a\nb\nc\nd\ne\n")

    @app.job
    def work(job, path):
        @job.step
        def copy(step):
            for batch in step.iterate(batches(lines(path), 2)):
                for line in batch:
                    world.once(line)

    passes(work, path)
    assert world == [*"abcde"]


def test_a_step_under_a_new_name_and_one_that_was_removed_do_no_harm(app, world, passes):
    @app.job(removed_steps=["gone"])
    def work(job):
        job.step(lambda: world.once("a"), name="a", formerly="was a")
        job.step(lambda: world.once("b"), name="b")

    passes(work)


def test_a_job_that_interrupts_itself_is_resumed_at_once(app, world, passes):
    @app.job(resume_options={"wait": 3600.0})
    def work(job):
        @job.step(start=0)
        def crawl(step):
            while step.cursor < 4:
                world.once(step.cursor)
                step.advance()
                if step.cursor % 2 == 0:
                    job.interrupt("the other side asks for a pause")

    passes(work)


def test_the_id_of_the_job_is_the_same_in_every_execution(app, world, passes):
    @app.job
    def work(job):
        job.step(lambda: world.once(job.id), name="a")
        job.step(lambda: world.once(job.id), name="b")

    passes(work)
    assert world == ["check_resumable"]


# Transactions


@pytest.fixture
def database():
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        database.execute("CREATE TABLE rows (number)")
        yield database


@pytest.fixture
def table(database):
    return {
        "observe": lambda: database.execute("SELECT number FROM rows").fetchall(),
        "reset": lambda: database.execute("DELETE FROM rows"),
    }


def test_commits_within_a_transaction_of_ones_own_hold(app, database, table, passes):
    @app.job
    def work(job):
        @job.step(start=0)
        def insert(step):
            while step.cursor < 6:
                database.execute("BEGIN IMMEDIATE")
                for number in range(step.cursor, step.cursor + 2):
                    database.execute("INSERT INTO rows VALUES (?)", (number,))
                step.commit(step.cursor + 2, database, items=2)
                database.execute("COMMIT")
                step.checkpoint()

    passes(work, **table)


def test_a_death_within_a_transaction_is_among_the_strikes(app, database, table, report):
    @app.job
    def work(job):
        @job.step(start=0)
        def insert(step):
            while step.cursor < 2:
                with step.transaction(database) as transaction:
                    database.execute("INSERT INTO rows VALUES (?)", (step.cursor,))
                    world_outside.append(step.cursor)
                    transaction.save(step.cursor + 1)

    world_outside = []
    table["reset"] = lambda reset=table["reset"]: (reset(), world_outside.clear())
    found = report(work, **table | {"observe": lambda: [*world_outside]})
    assert found.causes == ["an effect that is not idempotent"]
    assert any(
        "inside the transaction of a commit at 'insert', cursor 1" in s for s in found.strikes
    )


def test_a_transaction_that_is_rolled_back_takes_its_cursor_with_it(app, database, table, passes):
    @app.job
    def work(job):
        @job.step(start=0)
        def insert(step):
            has_failed = False
            while step.cursor < 3:
                try:
                    with step.transaction(database) as transaction:
                        database.execute("INSERT INTO rows VALUES (?)", (step.cursor,))
                        at = step.cursor
                        transaction.save(at + 1)
                        if at == 1 and not has_failed:
                            has_failed = True
                            raise LookupError("try again")
                except LookupError:
                    step.set(at)

    passes(work, **table)


def test_two_steps_may_commit(app, database, table, passes):
    @app.job
    def work(job):
        def insert(step):
            while step.cursor < 2:
                with step.transaction(database) as transaction:
                    database.execute("INSERT INTO rows VALUES (?)", (step.name,))
                    transaction.save(step.cursor + 1)

        job.step(insert, name="a", start=0)
        job.step(lambda: None, name="between")
        job.step(insert, name="b", start=0)

    passes(work, **table)


# Exceptions, swallowed and not


def test_a_job_that_catches_exceptions_resumes_all_the_same(app, world, passes):
    @app.job
    def work(job):
        @job.step(start=0)
        def send(step):
            while step.cursor < 3:
                try:
                    world.once(step.cursor)
                    step.advance()
                except Exception:
                    world.once("logged")
                    world.remove("logged")

    passes(work)


def test_a_job_that_swallows_interrupts_resumes_with_effects_that_are_idempotent(
    app, world, passes
):
    @app.job
    def work(job):
        @job.step(start=0)
        def send(step):
            for number in range(step.cursor, 3):
                try:
                    world.once(number)
                    step.advance(past=number)
                except BaseException:
                    pass

    passes(work)


def test_a_job_that_swallows_its_death_is_told_so(app, world, report):
    @app.job
    def work(job):
        @job.step(start=0)
        def send(step):
            for number in range(step.cursor, 3):
                try:
                    world.append(number)
                    step.advance(past=number)
                except BaseException:
                    pass

    found = report(work)
    assert any(cause.startswith("a bare `except:`") for cause in found.causes)


def test_a_job_that_cleans_up_on_an_interrupt_resumes(app, world, passes):
    reasons = set()

    @app.job
    def work(job):
        @job.step(start=0)
        def send(step):
            world.append("open")
            try:
                while step.cursor < 3:
                    world.once(step.cursor)
                    step.advance()
            except Interrupt as interrupt:
                reasons.add(interrupt.reason)
                raise
            finally:
                world.remove("open")

    passes(work)
    assert reasons == {"stopping", "superseded"}


def test_an_exception_of_an_undisturbed_job_comes_out(app, world, check):
    @app.job
    def work(job):
        job.step(lambda: world.append("a"), name="a")
        raise LookupError("no such row")

    with pytest.raises(LookupError, match="no such row"):
        check(work)
    assert world == ["a"], "it ran once"


def test_a_mistake_in_an_undisturbed_job_comes_out(app, check):
    @app.job
    def work(job):
        job.step(lambda: None, name="a")
        job.step(lambda: None, name="a")

    with pytest.raises(InvalidStepError, match="already been encountered"):
        check(work)


def test_an_exception_that_only_a_resume_raises_is_in_the_report(app, world, report):
    @app.job
    def work(job):
        if job.resumptions:
            raise ValueError("there is nothing for me here")
        job.step(lambda: None, name="a")
        job.step(lambda: None, name="b")

    found = report(work, faults=["interrupt"])
    assert "raised ValueError: there is nothing for me here" in found.text


# Other ends


def test_a_job_that_cancels_itself_comes_to_the_same_end(app, world, passes):
    @app.job
    def work(job):
        job.step(lambda: world.once("a"), name="a")
        job.step(lambda: world.once("b"), name="b")
        job.cancel("no longer wanted")

    passes(work)
    passes(work, observe=None)


def test_a_job_that_cancels_itself_only_when_resumed_is_found(app, world, report):
    @app.job
    def work(job):
        job.step(lambda: world.once("a"), name="a")
        job.step(lambda: world.once("b"), name="b")
        if job.resumptions:
            job.cancel("too late")

    found = report(work, faults=["interrupt"])
    assert "cancelled (too late) instead of completed" in found.text


def test_a_job_that_never_ends_is_found_out_undisturbed(app, check, monkeypatch):
    monkeypatch.setattr(trial, "MANY_EXECUTIONS", 50)

    @app.job
    def work(job):
        job.interrupt("not yet")

    with pytest.raises(Exception, match="interrupted 50 times and has not ended"):
        check(work)


def test_a_job_that_never_ends_once_it_was_interrupted_is_found(app, report, monkeypatch):
    monkeypatch.setattr(trial, "MANY_EXECUTIONS", 50)

    @app.job
    def work(job):
        job.step(lambda: None, name="a")
        if job.executions > 1:
            job.interrupt("not yet")
        job.step(lambda: None, name="b")

    found = report(work)
    assert any(cause.startswith("the job interrupts itself again") for cause in found.causes)


def test_max_resumptions_counts_for_every_strike_anew(app, world, passes):
    @app.job(max_resumptions=1)
    def work(job):
        for name in "abc":
            job.step(lambda name=name: world.once(name), name=name)

    passes(work)


def test_a_job_that_may_not_be_resumed_is_found(app, report):
    @app.job(max_resumptions=0)
    def work(job):
        for name in "ab":
            job.step(lambda: None, name=name)

    found = report(work)
    assert found.causes == ["as the error says"]
    assert "raised ResumeLimitError: Job was resumed a maximum of 0 times" in found.text


def test_a_job_that_interrupts_itself_too_often_is_found_undisturbed(app, check):
    @app.job(max_resumptions=1)
    def work(job):
        @job.step(start=0)
        def crawl(step):
            while step.cursor < 4:
                step.advance()
                job.interrupt("slowly")

    with pytest.raises(ResumeLimitError):
        check(work)


def test_max_runtime_is_no_matter_of_resuming(app, world, passes):
    @app.job(max_runtime=0.0)
    def work(job):
        for name in "abc":
            job.step(lambda name=name: world.once(name), name=name)
        world.once(f"executions {job.executions > 3}")

    passes(work, observe=lambda: [name for name in world if len(name) == 1])


def test_retries_do_not_hide_that_a_job_fails(app, check):
    @app.job(max_retries=5, retry_wait=0)
    def work(job):
        if job.executions < 2:
            raise LookupError("not yet")

    with pytest.raises(LookupError):
        check(work)


def test_errors_strike_jobs_that_do_not_resume_them_by_themselves(app, world, passes):
    @app.job(resume_errors_after_advancing=False)
    def work(job):
        @job.step(start=0)
        def send(step):
            while step.cursor < 3:
                world.once(step.cursor)
                step.advance()

    passes(work)


def test_defaults_of_the_app_hold(report):
    app = App(defaults={"max_resumptions": 0})

    @app.job
    def work(job):
        job.step(lambda: None, name="a")
        job.step(lambda: None, name="b")

    assert "ResumeLimitError" in report(work).text
