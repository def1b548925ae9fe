"""`TestQueue.stopping`: asked at every checkpoint whether the worker is stopping there."""

import pytest

from continuable import Interrupt


@pytest.fixture
def work(app):
    @app.job(name="work")
    def work(job, rows, *, note=""):
        job.step(lambda: "ok", name="validate")

        @job.step(start=0)
        def process(step):
            for _ in rows[step.cursor :]:
                step.advance()

        job.step(lambda: None, name="finish")

    return work


def test_it_is_asked_at_every_checkpoint_where_the_job_is(work, queue):
    asked = []
    queue.stopping = lambda job: asked.append((job.step, job.cursor, job.description))
    work.enqueue("ab")
    queue.run_enqueued()
    assert asked == [
        (None, None, "after 'validate'"),
        ("process", 1, "at 'process', cursor 1"),
        ("process", 2, "at 'process', cursor 2"),
        (None, None, "after 'process'"),
    ]


def test_it_sees_all_of_the_running_job(work, queue):
    seen = []

    def look(job):
        seen.append(job)
        return job.step == "process"

    queue.stopping = look
    handle = work.using(queue="slow", priority=2).enqueue("ab", note="n")
    queue.run_enqueued()
    job = seen[-1]
    assert (job.id, job.name, job.queue, job.priority) == (handle.id, "work", "slow", 2)
    assert (job.args, job.kwargs) == (("ab",), {"note": "n"})
    assert (job.executions, job.resumptions, job.completed) == (1, 0, ["validate"])
    assert repr(job) == f"<RunningJob work {handle.id} at 'process', cursor 1>"


def test_it_sees_the_progress_that_would_be_kept(work, queue):
    seen = []

    def look(job):
        seen.append(job.progress)
        return bool(job.cursor)

    queue.stopping = look
    work.enqueue("ab")
    queue.run_enqueued()
    assert seen[-1] == queue.enqueued[0].progress
    assert seen[-1]["current"] == ["process", 1]


@pytest.mark.parametrize(("answer", "reason"), [(True, "stopping"), ("deploy", "deploy")])
def test_true_or_a_reason_interrupts(work, queue, answer, reason):
    queue.stopping = lambda job: answer if job.cursor == 1 else None
    work.enqueue("ab")
    queue.run_enqueued()
    [waiting] = queue.enqueued
    assert (waiting.reason, waiting.progress["current"]) == (reason, ["process", 1])


@pytest.mark.parametrize("answer", [False, None, ""])
def test_anything_that_is_false_goes_on(work, queue, answer):
    queue.stopping = lambda job: answer
    handle = work.enqueue("ab")
    queue.run_enqueued()
    assert handle.state() == "completed"


def test_the_reason_is_what_the_job_sees(app, queue):
    reasons = []

    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            try:
                step.advance()
            except Interrupt as interrupt:
                reasons.append(interrupt.reason)
                raise

    queue.stopping = lambda job: "deploy"
    work.enqueue()
    queue.run_enqueued()
    assert reasons == ["deploy"]


def raise_at(name):
    def stopping(job):
        if job.completed[-1:] == [name] and job.step is None:
            raise LookupError("the power is out")

    return stopping


def test_what_it_raises_is_raised_in_the_job(work, queue):
    queue.stopping = raise_at("validate")
    handle = work.enqueue("ab")
    queue.run_enqueued()
    assert queue.enqueued[0].reason == "error", "it had made progress"
    assert "the power is out" in handle.info().error


def test_what_it_raises_comes_out_of_a_job_without_progress(app, queue):
    @app.job
    def work(job):
        job.checkpoint()

    queue.stopping = raise_at("never")
    work.enqueue()
    queue.run_enqueued()

    def stopping(job):
        raise LookupError("the power is out")

    queue.stopping = stopping
    work.enqueue()
    with pytest.raises(LookupError, match="the power is out"):
        queue.run_enqueued()


def test_it_may_be_set_while_a_job_runs(app, queue):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            step.advance()
            queue.stopping = lambda job: True
            step.advance()

    work.enqueue()
    queue.run_enqueued()
    assert queue.enqueued[0].progress["current"] == ["go", 2]


def test_max_runtime_is_looked_at_as_well(app, queue):
    @app.job(max_runtime=0.0)
    def work(job):
        @job.step(start=0)
        def go(step):
            while step.cursor < 3:
                step.advance()

    asked = []
    queue.stopping = asked.append
    handle = work.enqueue()
    assert queue.drain() == 4
    assert handle.state() == "completed"
    assert asked == [], "the time was over first"
