"""A job called like a function: here and now, without a queue, to its end."""

import asyncio
import inspect

import pytest

from continuable import App, JobCancelledError, ResumeLimitError, SerializationError
from continuable.events import JobCompleted, JobFailed, JobInterrupted, JobResumed, JobStarted


@pytest.fixture
def app():
    return App("sqlite:////nowhere/at/all.db")  # never opened


def test_a_call_runs_the_job_and_returns_what_it_returned(app):
    @app.job
    def work(job, left, *, right):
        return job.step(lambda: left + right, name="add")

    assert work(1, right=2) == 3


def test_a_call_takes_the_arguments_of_the_function_and_no_others(app):
    @app.job
    def work(job, left): ...

    with pytest.raises(TypeError, match=r"work\(job, left\): too many positional arguments"):
        work(1, 2)


def test_an_async_job_is_awaited(app):
    @app.job
    async def work(job, number):
        async def double():
            return number * 2

        return await job.step(double)

    assert asyncio.run(work(21)) == 42


def test_an_async_call_tells_wrong_arguments_at_once(app):
    @app.job
    async def work(job): ...

    with pytest.raises(TypeError, match="too many"):
        work(1)


def test_an_interruption_resumes_at_once(app):
    executions = []

    @app.job(resume_options={"wait": 3600})
    def work(job):
        executions.append((job.executions, job.resumptions))
        job.step(lambda: None, name="a")
        job.step(lambda: None, name="b", isolated=True)

        @job.step(start=0)
        def go(step):
            step.set(step.cursor + 1)
            if step.cursor < 3:
                job.interrupt("once more")
            return step.cursor

        return go

    assert work() == 3
    assert executions == [(1, 0), (2, 0), (3, 0), (4, 1), (5, 2)]


def test_an_async_job_resumes_at_once_too(app):
    @app.job(max_runtime=0)
    async def work(job):
        @job.step(start=0)
        async def go(step):
            while step.cursor < 3:
                step.advance()
            return job.executions

        return await go

    assert asyncio.run(work()) == 4


def test_an_exception_propagates_even_after_progress(app):
    ran = []

    @app.job(max_retries=5)
    def work(job):
        ran.append(job.step(lambda: "a", name="a"))
        raise LookupError("no such row")

    with pytest.raises(LookupError, match="no such row"):
        work()
    assert ran == ["a"]


def test_the_frames_of_the_job_are_in_the_traceback(app):
    @app.job
    def work(job):
        def deep():
            raise LookupError

        job.step(deep)

    with pytest.raises(LookupError) as error:
        work()
    assert error.traceback[-1].name == "deep"


def test_a_job_that_cancels_itself_says_so(app):
    @app.job
    def work(job):
        job.cancel("nothing to do")

    with pytest.raises(JobCancelledError, match="nothing to do"):
        work()


def test_max_resumptions_holds(app):
    @app.job(max_resumptions=3)
    def work(job):
        job.interrupt("once more")

    with pytest.raises(ResumeLimitError, match="a maximum of 3 times"):
        work()


def test_arguments_are_those_that_a_queue_would_bring(app):
    seen = []

    @app.job
    def work(job, rows):
        seen.append(rows)
        rows.append("changed in place")
        if job.executions == 1:
            job.interrupt("once more")

    given = ["a"]
    work(given)
    assert (given, seen[1][:1], len(seen[1])) == (["a"], ["a"], 2)
    with pytest.raises(SerializationError, match="An argument of job"):
        work(object())


def test_each_call_is_a_job_of_its_own(app):
    @app.job(queue="imports")
    def work(job):
        return [job.id, job.name, job.queue]

    one, two = work(), work()
    assert one[0] != two[0]
    assert one[1:] == two[1:] == [work.name, "imports"]


def test_a_job_may_call_another(app):
    @app.job
    def inner(job, number):
        job.step(lambda: None, name="same name")
        job.step(lambda: None, name="b", isolated=True)
        return number * 2

    @app.job
    def outer(job):
        return job.step(lambda: inner(21), name="same name")

    assert outer() == 42


def test_a_call_tells_its_events(app):
    events = []
    app.subscribe(events.append)

    @app.job
    def work(job, fails):
        job.step(lambda: None, name="a")
        if job.executions == 1:
            job.interrupt("once more")
        if fails:
            raise LookupError

    work(fails=False)
    with pytest.raises(LookupError):
        work(fails=True)
    told = [type(event) for event in events if event.name.startswith("job.")]
    assert told == [
        *(JobStarted, JobInterrupted, JobResumed, JobCompleted),
        *(JobStarted, JobInterrupted, JobResumed, JobFailed),
    ]


def test_a_job_looks_like_its_function(app):
    @app.job
    def work(job, number: int = 3) -> int:
        """Work hard."""
        return number

    assert (work.__name__, work.__doc__) == ("work", "Work hard.")
    assert list(inspect.signature(work).parameters) == ["job", "number"]
    assert repr(work) == f"<job {work.name}>"
