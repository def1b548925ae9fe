"""An interruption comes at a checkpoint and nowhere else, so that a job is never torn apart."""

import pytest

from continuable import App, Interrupt, Job, JobCancelledError, ResumeLimitError
from continuable.testing import TestQueue, interrupt_during_step

app = App(queue=TestQueue())


@app.job(max_resumptions=3, resume_options={"wait": 2.0, "queue": "night"})
def count(job: Job, to: int) -> str:
    @job.step(start=0)
    def numbers(step):
        while step.cursor < to:
            step.advance()

    return f"{to} in {job.executions} executions"


@pytest.fixture(autouse=True)
def nobody_stops_the_worker():
    yield
    app.queue.stopping = None
    for job in app.queue.enqueued:
        app.handle(job.id).cancel()


def test_the_checkpoints_of_a_job():
    """Before each step but the first, and at every move of a cursor."""
    places = []
    app.queue.stopping = lambda job: places.append(job.description)  # asked at each checkpoint

    @app.job(name="walk")
    def walk(job):
        job.step(lambda: None, name="start")

        @job.step(start=0)
        def steps(step):
            step.set(5)
            step.advance()
            step.checkpoint()

        job.step(lambda: None, name="arrive")

    walk.enqueue()
    app.queue.drain()
    assert places == [
        "after 'start'",
        "at 'steps', cursor 5",
        "at 'steps', cursor 6",
        "at 'steps', cursor 6",
        "after 'steps'",
    ]


def test_an_interrupted_job_comes_back_by_its_resume_options():
    handle = count.enqueue(5)
    with interrupt_during_step(count, "numbers", cursor=2, reason="stopping"):
        app.queue.run_enqueued()
    [waiting] = app.queue.enqueued
    assert (waiting.wait, waiting.queue, waiting.reason) == (2.0, "night", "stopping")

    app.queue.drain()
    assert handle.result() == "5 in 2 executions"


def test_more_resumptions_than_allowed_are_an_error():
    count.enqueue(5)
    app.queue.stopping = lambda job: True  # a worker that is always about to stop
    with pytest.raises(ResumeLimitError, match="resumed a maximum of 3 times"):
        app.queue.drain()


def test_an_interruption_is_an_exception_that_except_exception_does_not_catch():
    seen = []

    @app.job(name="catching")
    def catching(job):
        @job.step(start=0)
        def go(step):
            try:
                step.advance()
            except Exception:
                seen.append("an Exception")
            except Interrupt as interrupt:
                seen.append(interrupt.reason)
                raise

    catching.enqueue()
    with interrupt_during_step(catching, "go"):
        app.queue.run_enqueued()
    assert seen == ["stopping"]


def test_a_job_may_interrupt_itself_and_goes_on_later():
    @app.job(name="polite")
    def polite(job):
        @job.step(start=0)
        def ask(step):
            step.advance()
            if step.cursor == 1:
                job.interrupt("rate limit")

        return job.resumptions

    handle = polite.enqueue()
    app.queue.run_enqueued()
    assert (handle.state(), handle.info().reason) == ("interrupted", "rate limit")
    app.queue.drain()
    assert handle.result() == 1


def test_a_job_may_give_up_on_purpose():
    @app.job(name="realistic")
    def realistic(job):
        job.cancel("the upload was withdrawn")

    handle = realistic.enqueue()
    app.queue.drain()
    assert handle.state() == "cancelled"
    with pytest.raises(JobCancelledError, match="the upload was withdrawn"):
        handle.result()


def test_people_may_pause_and_resume_a_job():
    handle = count.enqueue(5)
    with interrupt_during_step(count, "numbers", cursor=2, reason="paused"):
        app.queue.drain()
    assert handle.state() == "paused"
    handle.resume()
    app.queue.drain()
    assert handle.result() == "5 in 2 executions"
