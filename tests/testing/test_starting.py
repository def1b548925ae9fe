"""`start_at` and `start_after`: a job on the queue as if it had come half its way."""

from datetime import date

import pytest

from continuable import App, InvalidStepError, SerializationError
from continuable.testing import interrupt_during_step, start_after, start_at


@pytest.fixture
def ran():
    return []


@pytest.fixture
def work(app, ran):
    @app.job(name="work", queue="imports")
    def work(job, rows=3, *, note=None):
        total = job.step(lambda: ran.append("count") or rows, name="count")
        job.step(lambda: ran.append("validate"), name="validate")

        @job.step(start=0)
        def process(step):
            ran.append(("process", step.cursor, step.resumed, total, dict(job.state)))
            while step.cursor < rows:
                step.advance()

        job.step(lambda: ran.append("finish"), name="finish")
        return note

    return work


def test_it_starts_at_the_cursor_and_skips_what_stands_before(work, queue, ran):
    handle = start_at(work, "process", cursor=2)
    queue.run_enqueued()
    assert ran == [("process", 2, True, None, {}), "finish"]
    assert handle.state() == "completed"


def test_it_starts_behind_a_step(work, queue, ran):
    start_after(work, "validate")
    queue.run_enqueued()
    assert ran == [("process", 0, False, None, {}), "finish"]


def test_after_the_last_step_nothing_is_left(work, queue, ran):
    handle = start_after(work, "finish")
    queue.run_enqueued()
    assert (ran, handle.state()) == ([], "completed")


def test_it_starts_with_the_values_and_the_state_that_were_kept(work, queue, ran):
    start_at(work, "process", cursor=3, values={"count": 8}, state={"day": date(2026, 8, 1)})
    queue.run_enqueued()
    assert ran[0] == ("process", 3, True, 8, {"day": date(2026, 8, 1)})


def test_it_is_handed_its_arguments(work, queue, ran):
    handle = start_at(work, "process", cursor=3, args=(3,), kwargs={"note": "n"})
    assert (queue.enqueued[0].args, queue.enqueued[0].kwargs) == ((3,), {"note": "n"})
    queue.run_enqueued()
    assert handle.result() == "n"
    with pytest.raises(TypeError):
        start_at(work, "process", kwargs={"nota": "n"})


def test_it_has_been_run_and_resumed_once(work, queue):
    start_at(work, "process", cursor=2)
    [waiting] = queue.enqueued
    assert (waiting.name, waiting.queue) == ("work", "imports")
    assert (waiting.executions, waiting.resumptions) == (1, 1)
    assert waiting.progress["current"] == ["process", 2]


def test_completed_steps_may_be_named(work, queue, ran):
    start_at(work, "process", cursor=2, completed=["count", "validate"])
    assert queue.enqueued[0].progress == {
        "completed": ["count", "validate"],
        "current": ["process", 2],
    }
    queue.run_enqueued()
    assert ran == [("process", 2, True, None, {}), "finish"]


def test_named_steps_must_be_those_of_the_job(work, queue):
    start_after(work, "validate", completed=["cuont"])
    with pytest.raises(InvalidStepError, match="'count' found, expected to see 'cuont'"):
        queue.run_enqueued()


def test_a_step_that_the_job_does_not_have_is_an_error(work, queue):
    start_at(work, "procses", cursor=2)
    with pytest.raises(InvalidStepError, match="without reaching step 'procses'"):
        queue.run_enqueued()


def test_a_cursor_that_cannot_be_kept_is_an_error(work):
    with pytest.raises(SerializationError, match="The cursor of step 'process'"):
        start_at(work, "process", cursor=object())


def test_it_may_be_interrupted_and_resumed_from_there(work, queue, ran):
    start_at(work, "process", cursor=1)
    with interrupt_during_step(work, "process", cursor=2):
        queue.run_enqueued()
    assert queue.enqueued[0].progress == {
        "completed": ["count", "validate"],
        "current": ["process", 2],
        "done": 1,
    }
    queue.run_enqueued()
    assert ran == [("process", 1, True, None, {}), ("process", 2, True, None, {}), "finish"]


def test_interrupted_before_it_came_to_its_place_it_starts_there_all_the_same(app, queue):
    ran = []

    @app.job
    def work(job):
        job.step(lambda: ran.append("a"), name="a")
        job.checkpoint()
        job.step(lambda: ran.append("b"), name="b")
        job.step(lambda: ran.append("c"), name="c")

    start_after(work, "b")
    queue.stopping = lambda job: job.executions == 2
    queue.run_enqueued()
    queue.run_enqueued()
    assert ran == ["c"]


def test_an_async_job_starts_in_its_middle(app, queue):
    ran = []

    @app.job
    async def work(job):
        async def a():
            ran.append("a")

        async def b(step):
            ran.append(("b", step.cursor))

        await job.step(a)
        await job.step(b, start=0)

    start_at(work, "b", cursor=7)
    queue.run_enqueued()
    assert ran == [("b", 7)]


def test_a_step_under_its_new_name_takes_it_over(app, queue):
    ran = []

    @app.job
    def work(job):
        job.step(lambda: ran.append("a"), name="a")
        job.step(lambda step: ran.append(step.cursor), name="new", start=0, formerly="old")

    start_at(work, "old", cursor=7)
    queue.run_enqueued()
    assert ran == [7]


def test_an_app_on_another_queue_is_refused():
    app = App()

    @app.job(name="work")
    def work(job):
        pass

    with pytest.raises(TypeError, match="which is no TestQueue"):
        start_at(work, "go")
