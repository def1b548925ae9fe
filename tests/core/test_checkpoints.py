"""Where a job may be interrupted, and where it may not."""

import threading

import pytest

from continuable import Interrupt
from continuable.core.attention import Attention
from continuable.core.outcome import Completed, Suspended
from continuable.sources import batches
from tests.core.executing import (
    asking,
    execute,
    execute_with,
    execution_of,
    interrupting_at,
    new_record,
    progress_of,
)


def checkpoints_of(job, progress=None):
    """Where an undisturbed execution could have been interrupted."""
    places = []
    attention = asking(lambda: places.append(execution.description))
    execution = execution_of(job, new_record(job, progress=progress), attention=attention)
    assert isinstance(execution.run(), Completed)
    return places


def test_before_each_step_except_the_first(app):
    @app.job
    def work(job):
        for name in "abc":
            job.step(lambda: None, name=name)

    assert checkpoints_of(work) == ["after 'a'", "after 'b'"]


def test_skipped_steps_do_not_count_as_the_first(app):
    @app.job
    def work(job):
        for name in "abcd":
            job.step(lambda: None, name=name)

    assert checkpoints_of(work, {"completed": ["a", "b"]}) == ["after 'c'"]
    assert checkpoints_of(work, {"completed": ["a", "b", "c"]}) == []


def test_none_before_a_step_that_resumes(app):
    @app.job
    def work(job):
        job.step(lambda: None, name="a")
        job.step(lambda: None, name="b")

    assert checkpoints_of(work, {"completed": ["a"], "current": ["b", 7]}) == []


def test_at_every_move_of_a_cursor(app):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            step.set(5)
            step.advance()
            step.advance(past=7)
            step.set("text")
            step.set([1, 2])
            step.checkpoint()

    assert checkpoints_of(work) == [
        f"at 'go', cursor {cursor}" for cursor in ("5", "6", "8", "'text'", "[1, 2]", "[1, 2]")
    ]


def test_at_the_jobs_own_checkpoints(app):
    @app.job
    def work(job):
        job.checkpoint()
        job.step(job.checkpoint, name="a")
        job.checkpoint()

    assert checkpoints_of(work) == ["not started", "at 'a'", "after 'a'"]


def test_between_the_items_of_a_source_and_behind_the_last(app):
    @app.job
    def work(job):
        @job.step
        def go(step):
            for _ in step.iterate(["x", "y", "z"]):
                pass

    assert checkpoints_of(work) == [f"at 'go', cursor {cursor}" for cursor in (1, 2, 3)]


def test_between_the_batches_of_a_source(app):
    @app.job
    def work(job):
        @job.step
        def go(step):
            for _ in step.iterate(batches(range(5), 2)):
                pass

    assert len(checkpoints_of(work)) == 3


def test_none_at_the_end_of_the_last_step_or_of_the_job(app):
    @app.job
    def work(job):
        job.step(lambda: None, name="only")

    assert checkpoints_of(work) == []


def test_an_item_is_not_done_before_its_body_is(app):
    bodies = []

    @app.job
    def work(job):
        @job.step
        def go(step):
            for item in step.iterate(["a", "b", "c"]):
                at = (item, step.cursor, step.done)
                bodies.append(at)

    outcome = execute(work, attention=interrupting_at(2))
    assert bodies == [("a", None, 0), ("b", 1, 1)]
    assert progress_of(outcome) == {
        "completed": [],
        "current": ["go", 2],
        "done": 2,
        "total": 3,
    }


def test_what_was_done_up_to_the_checkpoint_is_kept(app):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            while True:
                step.advance()

    outcome = execute(work, attention=interrupting_at(1000))
    assert progress_of(outcome) == {"completed": [], "current": ["go", 1000], "done": 1000}


def test_except_exception_does_not_swallow_an_interrupt(app):
    swallowed = []

    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            try:
                step.advance()
            except Exception as error:
                swallowed.append(error)
                raise

    assert isinstance(execute(work, attention=interrupting_at(1)), Suspended)
    assert swallowed == []


def swallowing(job, go_on):
    @job.step(start=0)
    def go(step):
        try:
            step.advance()
        except:  # noqa: E722
            go_on(job, step)
        return "as if nothing were"


@pytest.mark.parametrize(
    "go_on",
    [
        lambda job, step: None,
        lambda job, step: step.advance(),
        lambda job, step: step.checkpoint(),
        lambda job, step: job.checkpoint(),
    ],
    ids=["return", "advance", "checkpoint", "job.checkpoint"],
)
def test_an_interrupt_swallowed_by_a_bare_except_is_raised_again(app, go_on):
    later = []

    @app.job
    def work(job):
        swallowing(job, go_on)
        later.append("reached")

    outcome = execute(work, attention=interrupting_at(1))
    assert (outcome.reason, later) == ("stopping", [])
    assert progress_of(outcome)["completed"] == []
    assert progress_of(outcome)["current"][0] == "go"


@pytest.mark.parametrize("next_one", ["job.checkpoint", "step.checkpoint", "save"])
def test_an_interrupt_of_the_jobs_own_that_was_swallowed_keeps_its_reason(app, next_one):
    reached = []

    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            try:
                job.interrupt("rate limit")
            except BaseException:
                step.set(1)
            if next_one == "job.checkpoint":
                job.checkpoint()
            elif next_one == "save":
                attention.request_save()
            else:
                attention.interrupt("stopping")
            step.checkpoint()
            reached.append("behind the checkpoint")

    attention = Attention()
    outcome = execute(work, attention=attention)
    assert (outcome.reason, reached) == ("rate limit", [])
    assert progress_of(outcome)["current"] == ["go", 1]


def test_an_interrupt_swallowed_outside_of_steps_is_raised_before_the_next_step(app):
    ran = []

    @app.job
    def work(job):
        try:
            job.interrupt("enough")
        except BaseException:
            ran.append("swallowed")
        job.step(lambda: ran.append("next"), name="next")

    assert execute(work).reason == "enough"
    assert ran == ["swallowed"]


def test_an_interrupt_swallowed_by_the_whole_job_is_raised_at_its_end(app):
    @app.job
    def work(job):
        try:
            job.step(lambda step: step.set(1), name="go")
        except BaseException:
            return "done"

    outcome = execute(work, attention=interrupting_at(1))
    assert isinstance(outcome, Suspended)
    assert progress_of(outcome)["current"] == ["go", 1]


def test_an_exception_raised_over_an_interrupt_counts_as_the_exception_it_is(app):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            try:
                step.advance()
            finally:
                raise LookupError

    outcome = execute(work, attention=interrupting_at(1), resumes_errors=False)
    assert isinstance(outcome.error, LookupError)


def test_only_the_thread_that_runs_the_job_is_interrupted(app):
    raised = []

    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            def elsewhere():
                try:
                    for _ in range(3):
                        step.advance()
                except BaseException as error:
                    raised.append(error)

            attention.interrupt("stopping")
            thread = threading.Thread(target=elsewhere)
            thread.start()
            thread.join()
            raised.append(step.cursor)
            step.checkpoint()
            raised.append("not reached")

    attention = Attention()
    outcome = execute(work, attention=attention)
    assert raised == [3]
    assert (outcome.reason, progress_of(outcome)["current"]) == ("stopping", ["go", 3])


def test_a_move_by_another_thread_leaves_the_interrupt_to_the_owners_next_move(app):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            step.advance()
            attention.interrupt("stopping")
            thread = threading.Thread(target=step.advance)
            thread.start()
            thread.join()
            step.advance()

    attention = Attention()
    outcome = execute(work, attention=attention)
    assert (outcome.reason, progress_of(outcome)["current"]) == ("stopping", ["go", 3])


def test_a_question_may_raise_and_the_job_sees_that(app):
    def question():
        raise ConnectionError("nobody there")

    @app.job
    def work(job):
        with pytest.raises(ConnectionError):
            job.checkpoint()
        return "seen"

    assert execute(work, attention=asking(question)).value == "seen"


def test_an_interrupt_of_the_users_own_making_is_one(app):
    @app.job
    def work(job):
        raise Interrupt("by hand")

    assert execute_with(work, {"completed": []}).reason == "by hand"
