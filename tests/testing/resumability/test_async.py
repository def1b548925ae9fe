"""`async def` jobs are checked as plain ones are."""

import asyncio

import pytest

from continuable.testing import check_resumable


def test_a_job_that_resumes_passes(app, world, passes):
    @app.job
    async def work(job):
        async def collect():
            await asyncio.sleep(0)
            return [1, 2, 3]

        rows = await job.step(collect)

        @job.step(start=0)
        async def send(step):
            async for row in step.iterate(rows):
                await asyncio.sleep(0)
                world.once(row)

        await send

    passes(work)


def test_a_job_that_does_not_is_found(app, world, report):
    @app.job
    async def work(job):
        @job.step(start=0)
        async def send(step):
            while step.cursor < 3:
                await asyncio.sleep(0)
                world.append(step.cursor)
                step.advance()

        await send

    found = report(work)
    assert found.causes == ["an effect that is not idempotent"]
    assert "kill at 'send', cursor 2, right before that was saved" in found.strikes


def test_what_an_async_job_returns_is_compared(app):
    @app.job
    async def work(job):
        async def count():
            return 3

        return await job.step(count)

    assert check_resumable(work).runs == 3


def test_an_interrupt_in_a_task_group_is_one(app, world, passes):
    @app.job
    async def work(job):
        @job.step(start=0)
        async def send(step):
            async def one(number):
                await asyncio.sleep(0)
                world.once(number)

            while step.cursor < 4:
                async with asyncio.TaskGroup() as group:
                    group.create_task(one(step.cursor))
                    group.create_task(one(step.cursor + 1))
                step.set(step.cursor + 2)

        await send

    passes(work)


def test_checkpoints_inside_a_task_group_are_struck(app, world, passes):
    @app.job
    async def work(job):
        @job.step(start=0)
        async def send(step):
            async def one(number):
                world.once(number)
                await asyncio.sleep(0)
                step.checkpoint()

            while step.cursor < 4:
                async with asyncio.TaskGroup() as group:
                    group.create_task(one(step.cursor))
                    group.create_task(one(step.cursor + 1))
                step.set(step.cursor + 2)

        await send

    assert passes(work).points == 8


def test_a_cursor_moved_before_a_task_has_ended_is_found(app, world, report):
    @app.job
    async def work(job):
        @job.step(start=0)
        async def send(step):
            async def one(number):
                await asyncio.sleep(0)
                world.once(number)

            while step.cursor < 3:
                task = asyncio.ensure_future(one(step.cursor))
                step.advance()
                await task

        await send

    found = report(work)
    assert found.causes == ["the cursor is advanced before the effect"]


def test_a_task_left_behind_does_not_outlive_its_execution(app, world, check):
    ended = []

    @app.job
    async def work(job):
        async def background():
            try:
                await asyncio.sleep(3600)
            finally:
                ended.append(job.executions)

        async def start():
            job.tasks = [asyncio.ensure_future(background())]
            await asyncio.sleep(0)

        await job.step(start)

    check(work)
    assert ended


def test_all_executions_share_one_event_loop(app, world, check):
    loops = set()

    @app.job
    async def work(job):
        loops.add(asyncio.get_running_loop())

    check(work)
    assert len(loops) == 1


def test_inside_a_running_loop_an_async_job_says_what_to_do(app):
    @app.job
    async def work(job):
        pass

    @app.job
    def plain(job):
        pass

    async def test():
        with pytest.raises(RuntimeError, match=r"asyncio\.to_thread"):
            check_resumable(work)
        assert (await asyncio.to_thread(check_resumable, work)).runs == 1
        assert check_resumable(plain).runs == 1

    asyncio.run(test())
