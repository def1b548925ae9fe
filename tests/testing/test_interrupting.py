"""`interrupt_during_step` and `interrupt_after_step`: an interruption where the test says."""

from datetime import date

import pytest

from continuable import App, Interrupt
from continuable.testing import interrupt_after_step, interrupt_during_step


@pytest.fixture
def work(app):
    @app.job(name="work")
    def work(job, start=0, until=5):
        job.step(lambda: None, name="validate")

        @job.step(start=start)
        def process(step):
            while step.cursor < until:
                step.advance()

        job.step(lambda: None, name="finish")

    return work


def test_the_job_is_interrupted_at_the_cursor(work, queue):
    handle = work.enqueue()
    with interrupt_during_step(work, "process", cursor=3):
        queue.run_enqueued()
    [waiting] = queue.enqueued
    assert waiting.progress["current"] == ["process", 3]
    assert waiting.reason == "stopping"
    queue.run_enqueued()
    assert handle.state() == "completed"


def test_without_a_cursor_it_is_the_first_checkpoint_of_the_step(work, queue):
    work.enqueue()
    with interrupt_during_step(work, "process"):
        queue.run_enqueued()
    assert queue.enqueued[0].progress["current"] == ["process", 1]


def test_a_cursor_of_none_is_a_cursor(app, queue):
    @app.job
    def work(job):
        @job.step
        def go(step):
            step.checkpoint()
            step.set("x")
            step.set(None)

    work.enqueue()
    with interrupt_during_step(work, "go", cursor=None):
        queue.run_enqueued()
    assert queue.enqueued[0].progress == {"completed": [], "current": ["go", None]}


def test_a_cursor_is_compared_as_a_value(app, queue):
    @app.job
    def work(job):
        @job.step(start=date(2026, 8, 1))
        def go(step):
            while step.cursor < date(2026, 8, 5):
                step.advance()

    work.enqueue()
    with interrupt_during_step(work, "go", cursor=date(2026, 8, 3)):
        queue.run_enqueued()
    assert queue.enqueued[0].progress["current"][1]["v"] == "2026-08-03"


def test_the_job_is_interrupted_after_the_step(work, queue):
    work.enqueue()
    with interrupt_after_step(work, "process", reason="deploy"):
        queue.run_enqueued()
    [waiting] = queue.enqueued
    assert waiting.progress == {"completed": ["validate", "process"]}
    assert waiting.reason == "deploy"


def test_the_reason_reaches_the_job(app, queue):
    seen = []

    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            try:
                step.advance()
            except Interrupt as interrupt:
                seen.append(interrupt.reason)
                raise

    work.enqueue()
    with interrupt_during_step(work, "go", reason="deploy"):
        queue.run_enqueued()
    assert seen == ["deploy"]


def test_each_job_is_interrupted_once(work, queue):
    work.enqueue_many([(0,), (1,)])
    with interrupt_during_step(work, "process"):
        assert queue.drain() == 4


def test_interruptions_stand_side_by_side(work, queue):
    work.enqueue()
    with (
        interrupt_during_step(work, "process", cursor=2),
        interrupt_during_step(work, "process", cursor=4),
        interrupt_after_step(work, "process"),
    ):
        assert queue.drain() == 4


def test_other_jobs_are_left_alone(app, work, queue):
    @app.job
    def other(job):
        @job.step(start=0)
        def process(step):
            step.advance()

    handle = other.enqueue()
    work.enqueue()
    with interrupt_during_step(work, "process"):
        queue.run_enqueued()
    assert handle.state() == "completed"


def test_after_the_block_nothing_interrupts(work, queue):
    work.enqueue()
    with interrupt_during_step(work, "process"):
        queue.run_enqueued()
    work.enqueue()
    assert queue.drain() == 2


def test_an_async_job_is_interrupted_as_well(app, queue):
    @app.job
    async def work(job):
        @job.step(start=0)
        async def go(step):
            while step.cursor < 3:
                step.advance()

        await go

    work.enqueue()
    with interrupt_during_step(work, "go", cursor=2):
        queue.run_enqueued()
    assert queue.enqueued[0].progress["current"] == ["go", 2]


def missed(block, queue):
    with pytest.raises(AssertionError) as caught, block:
        queue.drain()
    return str(caught.value)


def test_a_cursor_that_never_came_fails_and_tells_those_that_did(work, queue):
    work.enqueue()
    assert missed(interrupt_during_step(work, "process", cursor=433), queue) == (
        "work was never at a checkpoint in step 'process' with cursor 433: it has run "
        "'process' with checkpoints at 1, 2, 3, 4, 5; 'validate' without a checkpoint in it; "
        "'finish' without a checkpoint in it"
    )


def test_many_cursors_are_told_from_both_ends(work, queue):
    work.enqueue(0, 100)
    message = missed(interrupt_during_step(work, "process", cursor=433), queue)
    assert "'process' with checkpoints at 1, 2, 3, 4, ..., 97, 98, 99, 100" in message


def test_a_step_that_never_came_fails(work, queue):
    work.enqueue(0, 0)
    message = missed(interrupt_during_step(work, "procses"), queue)
    assert message.startswith("work was never at a checkpoint in step 'procses': it has run ")
    assert "'validate' without a checkpoint in it" in message


def test_a_job_that_did_not_run_fails_and_asks_whether_it_was_enqueued(work, queue):
    assert missed(interrupt_during_step(work, "process"), queue) == (
        "work was never at a checkpoint in step 'process': no step of it was run "
        "(is it enqueued, and was run_enqueued() called?)"
    )


def test_after_the_last_step_there_is_no_checkpoint(work, queue):
    work.enqueue()
    assert missed(interrupt_after_step(work, "finish"), queue).startswith(
        "work was never at a checkpoint between step 'finish' and a next one: it has run "
    )


def test_an_exception_within_the_block_is_the_one_that_comes_out(work, queue):
    with pytest.raises(LookupError), interrupt_during_step(work, "process"):
        raise LookupError
    assert queue.interruptions == []


def test_an_app_on_another_queue_is_refused():
    app = App()

    @app.job(name="work")
    def work(job):
        pass

    with pytest.raises(TypeError, match=r"work runs on .*, which is no TestQueue: create its app"):
        interrupt_during_step(work, "go")
