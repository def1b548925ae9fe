"""A step: its name, what its function is handed, and what is remembered of it."""

import functools
from decimal import Decimal
from pathlib import Path

import pytest

from continuable import InvalidStepError, SerializationError
from continuable.core.outcome import Failed
from tests.core.executing import execute, execute_with, progress_of


def test_a_step_is_named_after_its_function(app):
    class Upload:
        def validate(self): ...

    @app.job
    def work(job):
        job.step(Upload().validate)

        @job.step
        def process(step): ...

    assert progress_of(execute(work))["completed"] == ["validate", "process"]


def test_a_name_of_its_own_wins(app):
    @app.job
    def work(job):
        job.step(lambda: None, name="first")

        @job.step(name="second")
        def process(): ...

    assert progress_of(execute(work))["completed"] == ["first", "second"]


@pytest.mark.parametrize(
    ("function", "shown"),
    [
        (lambda: None, "<lambda> (function)"),
        (functools.partial(print, 1), "print (partial)"),
        (functools.partial(lambda: None), "<lambda> (partial)"),
    ],
)
def test_a_lambda_or_a_partial_needs_a_name(app, function, shown):
    @app.job
    def work(job):
        job.step(function)

    with pytest.raises(InvalidStepError, match="give it one with name=") as error:
        work()
    assert shown in str(error.value)


def test_a_callable_object_needs_a_name(app):
    class Cleaner:
        def __call__(self):
            return "clean"

    @app.job
    def work(job):
        return job.step(Cleaner(), name="clean")

    @app.job
    def nameless(job):
        job.step(Cleaner())

    assert work() == "clean"
    with pytest.raises(InvalidStepError, match="Cleaner"):
        nameless()


def test_the_decorated_block_runs_at_once_and_its_name_is_bound_to_what_it_returned(app):
    @app.job
    def work(job):
        seen = []

        @job.step
        def total():
            seen.append("ran")
            return 42

        return [total, seen]

    assert work() == [42, ["ran"]]


@pytest.mark.parametrize(
    "function",
    [
        lambda: "nothing",
        lambda row=7: "nothing",
        lambda *rows: "nothing",
        lambda **options: "nothing",
        lambda row=7, *, deep=True: "nothing",
        int,  # a built-in one that tells no signature on some Pythons
    ],
)
def test_without_a_required_parameter_a_function_is_handed_nothing(app, function):
    @app.job
    def work(job):
        return job.step(function, name="go")

    assert work() in ("nothing", 0)


@pytest.mark.parametrize(
    "function",
    [
        lambda step: step.name,
        lambda step, /: step.name,
        lambda step, row=7: step.name,
        lambda step, *rows: step.name,
        lambda step, **options: step.name,
    ],
)
def test_with_a_required_parameter_it_is_handed_the_step(app, function):
    @app.job
    def work(job):
        return job.step(function, name="go")

    assert work() == "go"


def test_loops_may_bind_their_variable_in_a_default(app):
    @app.job
    def work(job):
        return [job.step(lambda row=row: row * 10, name=f"row {row}") for row in range(3)]

    assert work() == [0, 10, 20]


def two_more(step, row): ...


def keyword_only(*, row): ...


@pytest.mark.parametrize("function", [two_more, keyword_only])
def test_a_function_that_requires_more_is_a_type_error_that_names_it(app, function):
    @app.job
    def work(job):
        job.step(function)

    with pytest.raises(TypeError, match=rf"{function.__name__}\(.*row\) cannot be a step"):
        work()


def test_a_function_that_requires_more_leaves_no_trace_in_the_progress(app):
    @app.job
    def work(job):
        job.step(two_more)

    assert progress_of(execute(work)) == {}


@pytest.mark.parametrize(
    "value", [0, "", [], "text", 1.5, (1, 2), {1, 2}, {"a": [1]}, Decimal("1.50"), Path("a/b")]
)
def test_what_a_step_returned_is_remembered_as_the_same_type(app, queue, value):
    got = []

    @app.job
    def work(job):
        job.step(lambda: None, name="before")
        got.append(job.step(lambda: value, name="compute"))
        job.step(lambda: None, name="after", isolated=True)

    work.enqueue()
    queue.drain()
    assert got == [value, value]
    assert type(got[1]) is type(value)


def test_nothing_is_kept_for_a_step_that_returned_nothing(app):
    @app.job
    def work(job):
        job.step(lambda: None, name="quiet")

    assert progress_of(execute(work)) == {"completed": ["quiet"]}


def test_keep_false_keeps_nothing_and_gives_nothing_on_the_first_run_as_on_a_resume(app, queue):
    got = []

    @app.job
    def work(job):
        got.append(job.step(lambda: "large", name="compute", keep=False))

        @job.step(keep=False)
        def block():
            return object()

        got.append(block)
        job.step(lambda: None, name="after", isolated=True)

    work.enqueue()
    queue.drain()
    assert got == [None, None, None, None]


def test_keep_false_of_an_async_step_gives_nothing_either(app):
    @app.job
    async def work(job):
        async def compute():
            return object()

        return await job.step(compute, keep=False)

    assert execute(work).value is None


def test_a_value_that_cannot_be_kept_fails_when_the_step_ends(app):
    ended = []

    @app.job
    def work(job):
        job.step(lambda: 1, name="before")
        job.step(lambda: ended.append("here") or object(), name="compute")

    outcome = execute(work)
    assert isinstance(outcome.error, SerializationError)
    assert ended == ["here"]
    message = str(outcome.error)
    assert "step 'compute'" in message
    assert "builtins.object" in message
    assert "keep=False" in message


def test_a_step_whose_value_cannot_be_kept_is_not_completed(app):
    @app.job
    def work(job):
        @job.step(start=0)
        def compute(step):
            step.advance()
            return object()

    progress = progress_of(execute(work))
    assert progress == {"completed": [], "current": ["compute", 1], "done": 1}


def test_a_step_that_left_a_state_that_cannot_be_kept_is_not_completed(app):
    @app.job
    def work(job):
        job.step(lambda: job.state.update(a=1), name="first")
        job.step(lambda: job.state.update(file=object()), name="second")

    outcome = execute(work)
    assert "job.state" in str(outcome.error)
    assert progress_of(outcome) == {
        "completed": ["first"],
        "current": ["second", None],
        "state": {"a": 1},
    }


def test_a_renamed_step_takes_over_what_the_old_one_completed(app):
    @app.job
    def work(job):
        return job.step(lambda: "new", name="check", formerly="validate")

    outcome = execute_with(work, {"completed": ["validate"], "values": {"validate": "old"}})
    assert outcome.value == "old"


def test_a_renamed_step_takes_over_the_cursor_of_the_old_one(app):
    @app.job
    def work(job):
        @job.step(start=0, formerly="process")
        def process_records(step):
            return [step.cursor, step.done, step.total, step.resumed]

        return process_records

    outcome = execute_with(
        work, {"completed": [], "current": ["process", 7], "done": 6, "total": 9}
    )
    assert outcome.value == [7, 6, 9, True]


def test_a_renamed_step_is_in_the_progress_by_its_new_name(app):
    @app.job
    def work(job):
        job.step(lambda: "a", name="check", formerly="validate")
        job.step(lambda: None, name="next")
        job.interrupt("enough")

    outcome = execute_with(work, {"completed": ["validate"], "values": {"validate": "old"}})
    assert progress_of(outcome) == {"completed": ["check", "next"], "values": {"check": "old"}}


def test_a_renamed_step_works_for_jobs_that_know_only_the_new_name(app):
    @app.job
    def work(job):
        return job.step(lambda: "ran", name="check", formerly="validate")

    assert work() == "ran"
    assert execute_with(work, {"completed": ["check"], "values": {"check": 1}}).value == 1


def test_formerly_takes_nothing_from_a_step_that_is_still_there(app):
    # The old step was split: both are in the code, and the second names its origin by mistake.
    @app.job
    def work(job):
        return [
            job.step(lambda: "old ran", name="validate"),
            job.step(lambda: "new ran", name="check", formerly="validate"),
        ]

    assert work() == ["old ran", "new ran"]
    outcome = execute_with(work, {"completed": ["validate"], "values": {"validate": "kept"}})
    assert outcome.value == ["kept", "new ran"]


def test_a_removed_step_is_forgotten_wherever_it_stands(app):
    @app.job(removed_steps=["old"])
    def work(job):
        return [job.step(lambda: "ran", name=name) for name in ("a", "b")]

    for completed in (["old", "a"], ["a", "old"], ["old"], ["a", "old", "b"]):
        values = dict.fromkeys(completed, "kept")
        outcome = execute_with(work, {"completed": completed, "values": values})
        expected = ["kept" if name in completed else "ran" for name in ("a", "b")]
        assert outcome.value == expected
        progress = outcome.progress and progress_of(outcome)
        if progress:
            assert progress["completed"] == ["a", "b"]
            assert "old" not in progress["values"]


def test_a_removed_step_may_have_been_in_its_middle(app):
    @app.job(removed_steps=("old",))
    def work(job):
        return job.step(lambda step: step.cursor, name="new", start=5)

    assert execute_with(work, {"completed": [], "current": ["old", 77]}).value == 5


def test_a_removed_step_may_be_the_last_of_all(app):
    @app.job(removed_steps=iter(["old"]))
    def work(job):
        return job.step(lambda: "ran", name="a")

    progress = {"completed": ["a"], "current": ["old", 77], "values": {"a": "kept"}}
    assert execute_with(work, progress).value == "kept"
    progress = {"completed": ["a", "old"], "values": {"a": "kept"}}
    assert execute_with(work, progress).value == "kept"


def test_a_removed_step_that_is_there_all_the_same_keeps_its_progress(app):
    @app.job(removed_steps=["back", "again"])
    def work(job):
        return [
            job.step(lambda: "ran", name="back", formerly="before"),
            job.step(lambda step: step.cursor, name="again", start=0),
        ]

    progress = {"completed": ["before"], "current": ["again", 7], "values": {"before": "kept"}}
    assert execute_with(work, progress).value == ["kept", 7]


def test_to_forget_a_removed_step_is_no_progress(app):
    @app.job(removed_steps=["old"])
    def work(job):
        @job.step
        def fails():
            raise LookupError

    outcome = execute_with(work, {"completed": ["old"]})
    assert isinstance(outcome, Failed)
    assert not outcome.made_progress


def test_renamed_and_removed_steps_go_together_with_isolated_ones(app, queue):
    ran = []

    @app.job(removed_steps=["gone"])
    def work(job):
        job.step(lambda: ran.append("a"), name="a")
        job.step(lambda: ran.append("b"), name="b", isolated=True, formerly="b0")
        job.step(lambda: ran.append("c"), name="c")

    outcome = execute_with(work, {"completed": ["a", "gone", "b0"]})
    assert (ran, progress_of(outcome)["completed"]) == (["c"], ["a", "b", "c"])
    ran.clear()
    # The isolated step is the first that really runs; the one after it is not.
    outcome = execute_with(work, {"completed": ["a", "gone"], "current": ["b0", None]})
    assert (ran, outcome.reason) == (["b"], "isolating")
    assert progress_of(outcome) == {"completed": ["a", "b"]}
