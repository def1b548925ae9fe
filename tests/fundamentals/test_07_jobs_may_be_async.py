"""An `async def` job awaits its steps. Nothing else is different."""

import asyncio

import pytest

from continuable import App, InvalidStepError
from continuable.testing import TestQueue, interrupt_during_step


@pytest.fixture
def app():
    return App(queue=TestQueue())


async def fetch(page: int) -> str:
    await asyncio.sleep(0)  # stands for the network
    return f"page {page}"


def test_async_steps_are_awaited_and_plain_ones_are_not(app):
    @app.job
    async def crawl(job):
        async def first():
            return await fetch(1)

        front = await job.step(first)
        length = job.step(lambda: len(front), name="length")

        @job.step
        async def last():
            return await fetch(length)

        return await last  # a decorated block binds something to await

    assert asyncio.run(crawl()) == "page 6"


def test_cursor_and_checkpoints_are_the_same(app):
    fetched = []

    @app.job
    async def crawl(job):
        @job.step(start=1)
        async def pages(step):
            while step.cursor <= 4:
                fetched.append(await fetch(step.cursor))
                step.advance()  # a plain call: a checkpoint waits for nothing

        await pages

    crawl.enqueue()
    with interrupt_during_step(crawl, "pages", cursor=3):
        app.queue.run_enqueued()  # starts an event loop; inside of one: await arun_enqueued()
    app.queue.drain()
    assert fetched == ["page 1", "page 2", "page 3", "page 4"]


def test_an_interruption_comes_out_of_a_task_group(app):
    fetched = []

    @app.job
    async def crawl(job):
        @job.step(start=0)
        async def batches(step):
            while step.cursor < 6:
                async with asyncio.TaskGroup() as group:
                    tasks = [group.create_task(fetch(step.cursor + n)) for n in range(3)]
                fetched.extend(task.result() for task in tasks)
                step.set(step.cursor + 3)

        await batches

    crawl.enqueue()
    with interrupt_during_step(crawl, "batches", cursor=3):
        app.queue.run_enqueued()
    app.queue.drain()
    assert fetched == [f"page {n}" for n in range(6)]


def test_a_step_that_nobody_awaits_is_a_mistake(app):
    @app.job
    async def forgetful(job):
        async def first():
            return await fetch(1)

        job.step(first)

    with pytest.raises(InvalidStepError, match="without awaiting step 'first'"):
        asyncio.run(forgetful())
