"""`async def` jobs: the same rules, with steps that are awaited."""

import asyncio
import functools
import gc

import pytest

from continuable import InvalidStepError
from continuable.core.attention import Attention
from continuable.core.outcome import Completed, Failed, Suspended
from tests.core.executing import (
    Saves,
    execute,
    execute_with,
    execution_of,
    interrupting_at,
    new_record,
    progress_of,
    resumed,
)


async def fetch():
    await asyncio.sleep(0)
    return "fetched"


def test_an_async_step_is_awaited(app):
    @app.job
    async def work(job):
        async def process(step):
            await asyncio.sleep(0)
            step.advance()
            return step.cursor

        return [await job.step(fetch), await job.step(process, start=0)]

    assert execute(work).value == ["fetched", 1]


def test_a_decorated_block_binds_something_to_await(app):
    ran = []

    @app.job
    async def work(job):
        @job.step
        async def first():
            ran.append("first")
            return 1

        @job.step(start=0)
        async def second(step):
            ran.append("second")
            return 2

        ran.append("nothing has run yet")
        return [await first, await second]

    assert execute(work).value == [1, 2]
    assert ran == ["nothing has run yet", "first", "second"]


def test_the_order_is_that_of_the_awaits(app):
    @app.job
    async def work(job):
        one, two = job.step(fetch, name="one"), job.step(fetch, name="two")
        await two
        await one

    assert progress_of(execute(work))["completed"] == ["two", "one"]


def test_a_completed_step_is_skipped_and_its_value_remembered(app):
    @app.job
    async def work(job):
        return await job.step(fetch)

    progress = {"completed": ["fetch"], "values": {"fetch": "remembered"}}
    assert execute_with(work, progress).value == "remembered"


def test_a_plain_function_in_an_async_job_runs_and_returns_its_value_directly(app):
    @app.job
    async def work(job):
        def plain(step):
            step.advance()
            return step.cursor

        total = job.step(plain, start=0)
        return [total, job.step(lambda: "direct", name="l")]

    assert execute(work).value == [1, "direct"]


def test_a_partial_of_an_async_function_is_awaited(app):
    @app.job
    async def work(job):
        return await job.step(functools.partial(fetch), name="fetch")

    assert execute(work).value == "fetched"


def test_an_object_with_an_async_call_is_awaited(app):
    class Fetch:
        async def __call__(self):
            return "fetched"

    @app.job
    async def work(job):
        return await job.step(Fetch(), name="fetch")

    assert execute(work).value == "fetched"


def test_a_step_that_nobody_awaits_is_an_error_when_the_job_returns(app):
    @app.job
    async def work(job):
        await job.step(fetch, name="awaited")
        job.step(fetch, name="forgotten")

        @job.step
        async def also(): ...

    outcome = execute(work)
    assert isinstance(outcome.error, InvalidStepError)
    assert "without awaiting step 'forgotten', 'also'" in str(outcome.error)
    assert progress_of(outcome)["completed"] == ["awaited"]
    del outcome
    gc.collect()  # no warning of a coroutine that was never awaited: there is none


def test_a_completed_step_wants_to_be_awaited_too(app):
    @app.job
    async def work(job):
        job.step(fetch)

    assert "'fetch'" in str(execute_with(work, {"completed": ["fetch"]}).error)


def test_a_step_is_awaited_once(app):
    @app.job
    async def work(job):
        step = job.step(fetch)
        await step
        await step

    assert "'fetch' has already been encountered" in str(execute(work).error)


def test_an_async_step_in_a_plain_job_is_told_to_be_in_an_async_one(app):
    @app.job
    def work(job):
        job.step(fetch)

    outcome = execute(work)
    assert isinstance(outcome.error, InvalidStepError)
    assert "make the job an `async def`" in str(outcome.error)


def test_steps_at_the_same_time_are_nested(app):
    @app.job
    async def work(job):
        async def slow():
            await asyncio.sleep(60)

        await asyncio.gather(job.step(slow), job.step(fetch))

    assert str(execute(work).error) == "Step 'fetch' is nested inside step 'slow'"


def test_a_step_inside_an_async_step_is_nested(app):
    @app.job
    async def work(job):
        async def outer():
            await job.step(fetch)

        await job.step(outer)

    assert str(execute(work).error) == "Step 'fetch' is nested inside step 'outer'"


def test_an_interrupt_comes_at_a_checkpoint_and_the_job_resumes_there(app):
    calls = []

    @app.job
    async def work(job):
        @job.step(start=0)
        async def go(step):
            calls.append(step.cursor)
            while step.cursor < 5:
                await asyncio.sleep(0)
                step.advance()

        await go
        await job.step(fetch, isolated=True)
        return job.executions

    record = new_record(work)
    outcome = execute(work, record, attention=interrupting_at(2))
    assert (outcome.reason, outcome.description) == ("stopping", "at 'go', cursor 2")
    record = resumed(record, outcome)
    outcome = execute(work, record)
    assert (outcome.reason, outcome.description) == ("isolating", "after 'go'")
    assert execute(work, resumed(record, outcome)).value == 3
    assert calls == [0, 2]


def test_async_items_are_iterated_with_a_checkpoint_after_each(app):
    class Pages:
        async def aitems(self, cursor):
            for number in range(cursor or 0, 3):
                await asyncio.sleep(0)
                yield f"page {number}", number + 1

        def total(self):
            return 3

        def fingerprint(self):
            return None

    seen = []

    @app.job
    async def work(job):
        @job.step
        async def go(step):
            async for page in step.iterate(Pages()):
                seen.append(page)  # noqa: PERF401 - at once, since the loop is interrupted

        await go

    record = new_record(work)
    outcome = execute(work, record, attention=interrupting_at(2))
    assert progress_of(outcome) == {
        "completed": [],
        "current": ["go", 2],
        "done": 2,
        "total": 3,
    }
    execute(work, resumed(record, outcome))
    assert seen == ["page 0", "page 1", "page 2"]


def test_a_loop_left_by_break_does_not_disturb_the_next_one(app):
    @app.job
    async def work(job):
        @job.step
        async def go(step):
            async for _ in step.iterate(["a", "b"]):
                break
            seen = []
            async for _ in step.iterate(["a", "b"]):
                await asyncio.sleep(0)  # now the first loop is told that it was left
                await asyncio.sleep(0)
                seen.append(step.next_cursor)
            return seen

        return await go

    assert execute(work).value == [1, 2]


def test_a_plain_source_may_be_iterated_with_async_for(app):
    @app.job
    async def work(job):
        @job.step
        async def go(step):
            return [item async for item in step.iterate(["a", "b"])]

        return await go

    assert execute(work).value == ["a", "b"]


# --- task groups


def grouped(app, *tasks, swallow=False):
    @app.job
    async def work(job):
        @job.step(start=0)
        async def go(step):
            try:
                async with asyncio.TaskGroup() as group:
                    for task in tasks:
                        group.create_task(task(step))
            except BaseException:
                if not swallow:
                    raise

        await go
        return "done"

    return work


async def moves(step):
    await asyncio.sleep(0)
    step.advance()


async def fails(step):
    await asyncio.sleep(0)
    raise LookupError("a real error")


async def is_interrupted(step):
    await asyncio.sleep(0)
    step._checkpoints.interrupt("from a task")


def test_an_interrupt_out_of_a_task_group_is_an_interrupt(app):
    outcome = execute(grouped(app, moves), attention=interrupting_at(1))
    assert isinstance(outcome, Suspended)
    assert progress_of(outcome)["current"] == ["go", 1]


def test_several_interrupts_out_of_a_task_group_are_one(app):
    outcome = execute(grouped(app, is_interrupted, is_interrupted))
    assert (outcome.reason, outcome.error) == ("from a task", None)


def test_a_real_error_in_the_group_wins(app):
    outcome = execute(grouped(app, is_interrupted, fails))
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, ExceptionGroup)
    assert [str(error) for error in outcome.error.exceptions] == ["a real error"]


def test_a_real_error_deep_in_nested_groups_wins(app):
    async def nested(step):
        async with asyncio.TaskGroup() as group:
            group.create_task(is_interrupted(step))
            group.create_task(fails(step))

    outcome = execute(grouped(app, nested))
    assert isinstance(outcome.error, ExceptionGroup)
    assert outcome.error.split(LookupError)[1] is None


def test_an_interrupt_deep_in_nested_groups_is_an_interrupt(app):
    async def nested(step):
        async with asyncio.TaskGroup() as group:
            group.create_task(is_interrupted(step))

    assert execute(grouped(app, nested)).reason == "from a task"


def test_a_group_that_is_swallowed_is_raised_again_at_the_end_of_the_step(app):
    outcome = execute(grouped(app, is_interrupted, swallow=True))
    assert (outcome.reason, progress_of(outcome)["completed"]) == ("from a task", [])


def test_a_real_error_in_the_group_is_resumed_after_progress(app):
    async def moves_and_fails(step):
        step.advance()
        await fails(step)

    outcome = execute(grouped(app, moves_and_fails, is_interrupted))
    assert (outcome.reason, progress_of(outcome)["current"]) == ("error", ["go", 1])
    assert "a real error" in outcome.error.traceback


def test_a_mistake_in_the_code_is_one_in_a_group_too(app):
    async def moves_and_spoils(step):
        step.advance()
        step.set(object())

    outcome = execute(grouped(app, moves_and_spoils, fails))
    assert isinstance(outcome, Failed)
    assert not outcome.may_retry
    assert progress_of(outcome)["current"] == ["go", 1]


# --- cancellation


def test_a_cancelled_job_saves_its_progress_and_goes_on_its_way(app):
    started = asyncio.Event()

    @app.job
    async def work(job):
        await job.step(fetch)

        @job.step(start=0)
        async def go(step):
            step.set(7)
            started.set()
            await asyncio.sleep(60)

        await go

    saves = Saves()

    async def run_and_cancel():
        task = asyncio.create_task(execution_of(work, recorder=saves).arun())
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run_and_cancel())
    assert saves.documents[-1] == {
        "completed": ["fetch"],
        "current": ["go", 7],
        "values": {"fetch": "fetched"},
    }


def test_a_job_may_catch_a_cancellation_of_its_own_making(app):
    @app.job
    async def work(job):
        @job.step
        async def go():
            try:
                async with asyncio.timeout(0):
                    await asyncio.sleep(60)
            except TimeoutError:
                return "timed out"

        return await go

    assert execute(work).value == "timed out"


# --- all together


def test_moves_out_of_a_thread_of_an_async_step_are_attended_to_by_the_loop(app):
    @app.job
    async def work(job):
        @job.step(start=0)
        async def go(step):
            attention.interrupt("stopping")
            await asyncio.to_thread(step.advance)
            await asyncio.to_thread(step.advance)
            step.checkpoint()

        await go

    attention = Attention()
    outcome = execute(work, attention=attention)
    assert (outcome.reason, progress_of(outcome)["current"]) == ("stopping", ["go", 2])


def test_jobs_in_one_loop_do_not_disturb_each_other(app):
    @app.job
    async def work(job, number):
        @job.step(start=0)
        async def go(step):
            for _ in range(number):
                await asyncio.sleep(0)
                step.advance()
            return step.cursor

        return await go

    async def run_all():
        return await asyncio.gather(
            *(execution_of(work, new_record(work, number)).arun() for number in range(10))
        )

    outcomes = asyncio.run(run_all())
    assert all(isinstance(outcome, Completed) for outcome in outcomes)
    assert [outcome.value for outcome in outcomes] == list(range(10))
