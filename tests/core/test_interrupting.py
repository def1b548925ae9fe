"""Why a job is interrupted, how it comes back, and when it does not."""

import json

import pytest

from continuable import (
    App,
    DeserializationError,
    InvalidStepError,
    ResumeLimitError,
    SerializationError,
    Superseded,
    UnadvanceableCursorError,
)
from continuable.core.attention import Attention
from continuable.core.outcome import Cancelled, Completed, Failed, Fenced, Suspended
from continuable.serialization import Codec
from continuable.testing import TestQueue
from tests.core.executing import (
    Saves,
    execute,
    execute_with,
    interrupting_at,
    new_record,
    progress_of,
    resumed,
)


@pytest.fixture
def work(app):
    @app.job
    def work(job):
        job.step(lambda: None, name="a")

        @job.step(start=0)
        def go(step):
            while step.cursor < 5:
                step.advance()

    return work


# --- reasons


@pytest.mark.parametrize("reason", ["stopping", "paused", "deploy of 3.2"])
def test_the_reason_is_kept_for_those_who_watch(work, reason):
    attention = Attention()
    attention.interrupt(reason)
    outcome = execute(work, attention=attention)
    assert (outcome.reason, outcome.description) == (reason, "after 'a'")


def test_a_job_sees_why_it_is_interrupted(app):
    seen = []

    @app.job
    def work(job):
        try:
            job.interrupt("out of quota")
        except BaseException as interrupt:
            seen.append((type(interrupt).__name__, interrupt.reason, str(interrupt)))
            raise

    execute(work)
    assert seen == [("Interrupt", "out of quota", "out of quota")]


def test_a_job_interrupts_itself_and_resumes_there(app, queue):
    calls = []

    @app.job(resume_options={"wait": 60})
    def work(job):
        @job.step(start=0)
        def go(step):
            calls.append(step.cursor)
            step.set(7)
            if not step.resumed:
                job.interrupt("rate limit")

    work.enqueue()
    queue.run_enqueued()
    assert (queue.enqueued[0].reason, queue.enqueued[0].wait) == ("rate limit", 60)
    queue.drain()
    assert calls == [0, 7]


def test_a_job_gives_up_on_purpose(app):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            step.set(3)
            job.cancel("the customer is gone")

    outcome = execute(work)
    assert isinstance(outcome, Cancelled)
    assert outcome.reason == "the customer is gone"
    assert progress_of(outcome)["current"] == ["go", 3]


def test_a_cancel_asked_for_ends_the_job_at_its_next_checkpoint(work):
    attention = Attention()
    attention.interrupt("cancelled")
    assert isinstance(execute(work, attention=attention), Cancelled)


def test_a_job_that_was_taken_over_stops_and_writes_nothing(work):
    attention, saves = Attention(), Saves()
    attention.supersede()
    assert isinstance(execute(work, attention=attention, recorder=saves), Fenced)
    assert saves.documents == []


def test_a_job_that_was_taken_over_cannot_swallow_that(app):
    ran = []

    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            for _ in range(3):
                try:
                    step.advance()
                except Superseded:
                    ran.append("swallowed")

        ran.append("the next step")
        return "as if nothing were"

    attention = Attention()
    attention.supersede()
    assert isinstance(execute(work, attention=attention), Fenced)
    assert "the next step" not in ran


def test_a_job_that_was_taken_over_and_left_is_not_suspended_either(app):
    @app.job
    def work(job):
        attention.is_superseded = True
        job.interrupt("rate limit")

    attention = Attention()
    assert isinstance(execute(work, attention=attention), Fenced)


def test_whatever_a_job_raises_that_was_taken_over_nothing_is_written(app):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            try:
                step.advance()
            except Superseded as error:
                raise LookupError from error

    attention = Attention()
    attention.supersede()
    assert isinstance(execute(work, attention=attention), Fenced)


# --- isolated steps


@pytest.fixture
def isolating(app):
    @app.job
    def isolating(job):
        executions = job.state.setdefault("executions", [])
        for name in job.step(lambda: ["a", "i", "j", "b", "c"], name="names"):
            isolated = name in "ij"
            job.step(
                lambda name=name: executions.append((name, job.executions)),
                name=name,
                isolated=isolated,
            )
        return executions

    return isolating


def test_an_isolated_step_has_an_execution_of_its_own_and_so_has_the_next(isolating, queue):
    handle = isolating.enqueue()
    assert queue.drain() == 4
    assert handle.result() == [("a", 1), ("i", 2), ("j", 3), ("b", 4), ("c", 4)]


def test_an_isolated_step_that_comes_first_needs_no_interruption(app):
    @app.job
    def work(job):
        job.step(lambda: None, name="only", isolated=True)

    assert isinstance(execute(work), Completed)


def test_an_isolated_step_that_is_skipped_isolates_nothing(app):
    @app.job
    def work(job):
        job.step(lambda: None, name="i", isolated=True)
        job.step(lambda: None, name="b")

    assert isinstance(execute_with(work, {"completed": ["i"]}), Completed)


def test_an_isolated_step_resumes_in_an_execution_of_its_own(app):
    @app.job
    def work(job):
        job.step(lambda: None, name="a")
        job.step(lambda step: step.cursor, name="i", isolated=True)
        job.step(lambda: None, name="b")

    outcome = execute_with(work, {"completed": ["a"], "current": ["i", 5]})
    assert (outcome.reason, outcome.description) == ("isolating", "after 'i'")


# --- what is counted, and what waits


def outcome_of(job, reason):
    if reason == "isolating":
        return execute(job)
    attention = Attention()
    attention.interrupt(reason)
    return execute(job, attention=attention)


@pytest.mark.parametrize(
    ("reason", "is_counted", "wait"),
    [
        ("isolating", False, 0.0),
        ("max_runtime", False, 0.0),
        ("paused", False, 5.0),
        ("stopping", True, 5.0),
        ("rate limit", True, 5.0),
    ],
)
def test_what_is_planned_uses_up_no_resumption_and_does_not_wait(app, reason, is_counted, wait):
    @app.job
    def work(job):
        job.step(lambda: None, name="a")
        job.step(lambda: None, name="b", isolated=True)

    outcome = outcome_of(work, reason)
    assert (outcome.reason, outcome.is_counted, outcome.wait) == (reason, is_counted, wait)


def test_max_runtime_interrupts_at_the_first_checkpoint_after_it(app):
    @app.job(max_runtime=0)
    def work(job):
        @job.step(start=0)
        def go(step):
            while step.cursor < 3:
                step.advance()
            return job.executions

        return go

    assert work() == 4


def test_an_execution_within_max_runtime_is_left_alone(app):
    @app.job(max_runtime=3600)
    def work(job):
        job.step(lambda step: step.advance(past=1), name="go")
        return job.executions

    assert work() == 1


def test_resume_options_are_merged_over_a_wait_of_five_seconds(app):
    @app.job(resume_options={"queue": "slow", "priority": 3})
    def work(job):
        job.interrupt("enough")

    outcome = execute(work)
    assert (outcome.wait, outcome.queue, outcome.priority) == (5.0, "slow", 3)


def test_without_resume_options_a_job_stays_where_it_was(app, queue):
    @app.job(queue="imports", priority=7)
    def work(job):
        job.interrupt("enough")

    work.using(queue="night", priority=9).enqueue()
    queue.run_enqueued()
    [waiting] = queue.enqueued
    assert (waiting.wait, waiting.queue, waiting.priority) == (5.0, "night", 9)


def test_resume_options_of_the_app_and_of_the_job_are_merged():
    app = App(queue=TestQueue(), defaults={"resume_options": {"queue": "slow", "wait": 1}})

    @app.job(resume_options={"wait": 2})
    def work(job):
        job.interrupt("enough")

    outcome = execute(work)
    assert (outcome.wait, outcome.queue) == (2, "slow")


# --- the limit


def test_more_resumptions_than_allowed_fail_the_job_with_its_progress(app, queue):
    @app.job(max_resumptions=2)
    def work(job):
        @job.step(start=0)
        def go(step):
            while True:
                step.advance()

    handle = work.enqueue()
    queue.stopping = lambda job: True
    queue.run_enqueued()
    queue.run_enqueued()
    with pytest.raises(ResumeLimitError, match=r"^Job was resumed a maximum of 2 times$") as error:
        queue.run_enqueued()
    assert error.value.limit == 2
    info = handle.info()
    assert (info.state, info.cursor, info.resumptions) == ("failed", 3, 2)


def test_a_limit_of_none_at_all_allows_no_resumption(work, app):
    @app.job(max_resumptions=0)
    def once(job):
        job.interrupt("enough")

    assert isinstance(execute(once).error, ResumeLimitError)


def test_what_is_planned_does_not_mind_the_limit(app):
    @app.job(max_resumptions=0)
    def work(job):
        job.step(lambda: None, name="a")
        job.step(lambda: None, name="b", isolated=True)

    assert isinstance(execute(work), Suspended)


def test_the_limit_holds_for_errors_too_and_names_the_last_one(app):
    @app.job(max_resumptions=0)
    def work(job):
        job.step(lambda: None, name="a")
        raise LookupError("no such row")

    outcome = execute(work)
    assert isinstance(outcome.error, ResumeLimitError)
    assert isinstance(outcome.error.__cause__, LookupError)
    assert "no such row" in outcome.report.traceback


# --- errors


def test_an_exception_after_a_completed_step_resumes_the_job(app):
    @app.job
    def work(job):
        job.step(lambda: None, name="a")
        raise LookupError("no such row")

    outcome = execute(work)
    assert (outcome.reason, outcome.is_counted, outcome.wait) == ("error", True, 5.0)
    assert outcome.error.summary == "LookupError: no such row"
    assert "no such row" in outcome.error.traceback
    assert progress_of(outcome) == {"completed": ["a"]}


def test_an_exception_after_a_moved_cursor_resumes_the_job_there(app):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            step.advance()
            raise LookupError

    outcome = execute(work)
    assert (outcome.reason, progress_of(outcome)["current"]) == ("error", ["go", 1])


def test_an_exception_before_any_progress_goes_to_the_queues_retries(app):
    @app.job
    def work(job):
        raise LookupError

    outcome = execute(work)
    assert isinstance(outcome, Failed)
    assert (outcome.may_retry, outcome.made_progress, progress_of(outcome)) == (True, False, {})


def test_an_exception_without_progress_keeps_that_of_earlier_executions(app):
    @app.job
    def work(job):
        job.step(lambda: None, name="a")

        @job.step(start=0)
        def go(step):
            raise LookupError

    progress = {"completed": ["a"], "current": ["go", 7], "done": 6, "total": 9}
    outcome = execute_with(work, progress)
    assert isinstance(outcome, Failed)
    assert progress_of(outcome) == progress


@pytest.mark.parametrize(
    ("move", "counts"),
    [
        (lambda step: step.set(7), False),
        (lambda step: step.set(8), True),
        (lambda step: (step.set(8), step.set(7)), False),
        (lambda step: step.checkpoint(), False),
        (lambda step: setattr(step, "done", 5), False),
    ],
)
def test_progress_is_a_cursor_that_is_kept_as_another_than_before(app, move, counts):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            move(step)
            raise LookupError

    outcome = execute_with(work, {"completed": [], "current": ["go", 7]})
    assert isinstance(outcome, Suspended if counts else Failed)


def test_a_cursor_that_was_changed_in_place_is_progress(app):
    @app.job
    def work(job):
        @job.step(start=[])
        def go(step):
            step.cursor.append(len(step.cursor))
            raise LookupError

    outcome = execute(work)
    assert (outcome.reason, progress_of(outcome)["current"]) == ("error", ["go", [0]])


def test_errors_are_not_resumed_where_the_job_says_so(app):
    @app.job(resume_errors_after_advancing=False)
    def work(job):
        job.step(lambda: None, name="a")
        raise LookupError

    outcome = execute(work)
    assert isinstance(outcome, Failed)
    assert (outcome.made_progress, progress_of(outcome)) == (True, {"completed": ["a"]})


@pytest.mark.parametrize(
    ("mistake", "error"),
    [
        (lambda job: job.step(lambda: None), InvalidStepError),
        (
            lambda job: job.step(lambda step: step.advance(past="x"), name="b"),
            UnadvanceableCursorError,
        ),
        (lambda job: job.step(lambda step: step.set(object()), name="b"), SerializationError),
    ],
)
def test_a_mistake_in_the_code_is_never_resumed_but_progress_is_kept(app, mistake, error):
    @app.job
    def work(job):
        job.step(lambda: None, name="a")
        mistake(job)

    outcome = execute(work)
    assert isinstance(outcome.error, error)
    assert not outcome.may_retry
    assert progress_of(outcome)["completed"] == ["a"]


def test_the_mended_code_goes_on_where_the_mistake_was(app):
    @app.job(name="work")
    def broken(job):
        @job.step(start=0)
        def go(step):
            step.set(5)
            step.set(object())

    record = new_record(broken)
    outcome = execute(broken, record)
    app = App(queue=TestQueue())

    @app.job(name="work")
    def mended(job):
        return job.step(lambda step: step.cursor, name="go", start=0)

    record.progress = progress_of(outcome)
    assert execute(mended, record).value == 5


def test_ctrl_c_saves_progress_and_goes_on_its_way(app):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            step.advance()
            raise KeyboardInterrupt

    saves = Saves()
    with pytest.raises(KeyboardInterrupt):
        execute(work, recorder=saves)
    assert saves.documents == [{"completed": [], "current": ["go", 1], "done": 1}]


def test_system_exit_fails_the_job_and_not_the_worker(app):
    @app.job
    def work(job):
        raise SystemExit(3)

    assert isinstance(execute(work).error, SystemExit)


def test_what_means_something_to_the_queue_passes_through(app):
    class Retry(Exception): ...

    @app.job
    def work(job):
        job.step(lambda: None, name="a")
        raise Retry

    with pytest.raises(Retry):
        execute(work, passes=(Retry,))


# --- what can and cannot be kept


def test_a_cursor_that_cannot_be_kept_fails_at_the_set_that_introduced_it(app):
    reached = []

    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            step.set(1)
            try:
                step.set({"file": object()})
            finally:
                reached.append(step.cursor)

    outcome = execute(work)
    assert "The cursor of step 'go'" in str(outcome.error)
    assert "builtins.object" in str(outcome.error)
    assert reached == [1]
    assert progress_of(outcome)["current"] == ["go", 1]


@pytest.mark.parametrize("kind", [list, dict, tuple])
def test_a_container_is_looked_into_at_every_set(app, kind):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            step.set(kind([]))
            step.set(kind([(1, 2)]))
            step.set(kind([(1, object())]))

    outcome = execute(work)
    assert isinstance(outcome.error, SerializationError)
    assert progress_of(outcome)["current"][1] == Codec().dump(kind([(1, 2)]), "")


def test_a_cursor_may_change_its_type_at_every_move(app):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            for cursor in (1, "text", 2, [2], 3, None, (1, 2)):
                step.set(cursor)
                assert step.cursor == cursor
            step.set(4)
            step.set([4])
            step.advance()

    assert isinstance(execute(work).error, UnadvanceableCursorError)


@pytest.mark.parametrize("cursor", [None, 1.5, "text", True, [1]])
@pytest.mark.parametrize("is_given", [True, False])
def test_a_cursor_without_a_natural_successor_says_to_set_one(app, cursor, is_given):
    @app.job
    def work(job):
        @job.step(start=7 if is_given else cursor)
        def go(step):
            if is_given:
                step.advance(past=cursor)
            else:
                step.advance()

    outcome = execute(work)
    assert isinstance(outcome.error, UnadvanceableCursorError)
    assert f"type {type(cursor).__name__} " in str(outcome.error)
    assert "step.set(" in str(outcome.error)
    assert progress_of(outcome)["current"] == ["go", 7 if is_given else cursor]
    assert "done" not in progress_of(outcome)


def test_a_step_knows_whether_it_was_resumed_and_whether_it_has_moved(app):
    seen = []

    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            seen.append((step.name, step.cursor, step.resumed, step.advanced))
            step.set(5)
            seen.append((step.name, step.cursor, step.resumed, step.advanced))
            job.interrupt("enough")

    record = new_record(work)
    execute(work, resumed(record, execute(work, record)))
    assert seen == [
        ("go", 0, False, False),
        ("go", 5, False, True),
        ("go", 5, True, False),
        ("go", 5, True, False),
    ]


def test_a_start_that_cannot_be_kept_fails_at_the_step(app):
    @app.job
    def work(job):
        job.step(lambda step: None, name="go", start=object())

    assert "The cursor of step 'go'" in str(execute(work).error)


@pytest.mark.parametrize("before", [["a"], []])
def test_a_cursor_spoiled_in_place_keeps_what_could_be_kept_last(app, before):
    @app.job
    def work(job):
        for name in before:
            job.step(lambda: None, name=name)

        @job.step(start=[])
        def go(step):
            step.set([1])
            step.cursor.append(object())
            raise LookupError

    outcome = execute(work)
    assert isinstance(outcome.error, SerializationError)
    assert isinstance(outcome.error.__cause__, LookupError)
    assert progress_of(outcome) == ({"completed": ["a"]} if before else {})


def test_a_state_that_cannot_be_kept_is_a_mistake_even_where_an_error_would_be_resumed(app):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            job.state["file"] = object()
            step.advance()
            raise LookupError

    outcome = execute(work)
    assert isinstance(outcome, Failed)
    assert "job.state" in outcome.report.summary
    assert "LookupError" in outcome.report.traceback
    assert progress_of(outcome)["current"] == ["go", 1]


def test_a_state_that_cannot_be_kept_is_not_lost_in_an_interruption(app):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            job.state["file"] = object()
            step.advance()

    outcome = execute(work, attention=interrupting_at(1))
    assert isinstance(outcome.error, SerializationError)
    assert progress_of(outcome)["current"] == ["go", 1]


@pytest.mark.parametrize("count", ["12", 1.5, None])
def test_a_count_of_items_that_is_no_number_fails_where_it_is_given(app, count):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            step.done = count

    assert isinstance(execute(work).error, TypeError)


def test_a_total_is_a_whole_number_or_none(app):
    from decimal import Decimal

    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            step.total = 3
            step.total = None
            with pytest.raises(TypeError, match="Decimal"):
                step.total = Decimal(80_000)  # as some databases count
            return step.total

        return go

    assert work() is None


@pytest.mark.parametrize(
    "progress",
    [
        {"completed": 3},
        {"completed": [], "current": "go"},
        {"completed": [], "current": []},
        {"completed": [], "done": "many"},
        {"values": 3},
        {"state": 3},
        {"state": {"$": "unheard of", "v": 1}},
    ],
)
def test_progress_that_cannot_be_read_fails_the_job_and_is_left_as_it_is(work, progress):
    outcome = execute_with(work, progress)
    assert isinstance(outcome.error, DeserializationError)
    assert progress_of(outcome) == progress


def test_a_cursor_of_an_unknown_type_fails_in_its_step_and_is_left_as_it_is(work):
    cursor = {"$": "unheard of", "v": 1}
    progress = {"completed": ["a"], "current": ["go", cursor]}
    outcome = execute_with(work, progress)
    assert isinstance(outcome.error, DeserializationError)
    assert "The cursor of step 'go'" in str(outcome.error)
    assert progress_of(outcome) == progress


def test_the_error_handling_of_the_job_sees_what_cannot_be_read(app):
    @app.job
    def work(job):
        try:
            job.step(lambda: 1, name="a")
        except DeserializationError as error:
            job.cancel(f"damaged: {error}")

    outcome = execute_with(work, {"completed": ["a"], "values": {"a": {"$": "unheard of"}}})
    assert outcome.reason.startswith("damaged: The value of step 'a' cannot be read")


def test_arguments_that_cannot_be_read_fail_the_job(work):
    record = new_record(work)
    record.arguments = '[[{"$":"unheard of"}],{}]'
    outcome = execute(work, record)
    assert "The arguments of job" in str(outcome.error)


def test_a_result_that_cannot_be_kept_fails_the_job(app):
    @app.job
    def work(job):
        job.step(lambda: None, name="a")
        return object()

    outcome = execute(work)
    assert "What job" in str(outcome.error)
    assert progress_of(outcome) == {"completed": ["a"]}


# --- counting executions


def test_a_job_knows_how_often_it_was_started_and_resumed(app):
    seen = []

    @app.job
    def work(job):
        seen.append((job.id, job.name, job.queue, job.executions, job.resumptions))
        job.interrupt("enough" if job.executions != 2 else "max_runtime")

    record = new_record(work)
    for _ in range(3):
        record = resumed(record, execute(work, record))
    assert seen == [
        ("1", work.name, "default", 1, 0),
        ("1", work.name, "default", 2, 1),
        ("1", work.name, "default", 3, 1),
    ]


def test_state_is_kept_across_resumes_as_the_same_types(app, queue):
    seen = []

    @app.job
    def work(job):
        seen.append(dict(job.state))
        job.state["seen"] = {*job.state.get("seen", ()), job.executions}
        job.step(lambda: None, name="a")
        job.step(lambda: None, name="b", isolated=True)

    work.enqueue()
    queue.drain()
    assert seen == [{}, {"seen": {1}}]


def test_progress_counts_items_across_resumes(app):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            step.total = 100
            before = step.done
            step.advance()
            step.advance(past=5)
            step.set(9)
            step.done += 10
            return [before, step.done, step.total]

        job.state["counts"] = go
        return go

    assert execute(work).value == [0, 12, 100]
    record = new_record(work, progress={"completed": [], "current": ["go", 3], "done": 30})
    assert execute(work, record).value == [30, 42, 100]


def test_progress_is_the_plain_data_that_people_read(app):
    @app.job
    def work(job):
        job.state["note"] = "n"
        job.step(lambda: 7, name="validate")

        @job.step(start=0)
        def process_records(step):
            step.total = 80_000
            step.set(432)
            step.advance()

    outcome = execute(work, attention=interrupting_at(3))
    assert json.loads(outcome.progress) == {
        "completed": ["validate"],
        "current": ["process_records", 433],
        "done": 1,
        "total": 80_000,
        "values": {"validate": 7},
        "state": {"note": "n"},
    }
    assert outcome.description == "at 'process_records', cursor 433"
