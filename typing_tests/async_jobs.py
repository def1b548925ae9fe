"""What users of async jobs write, as mypy and pyright see it. Checked, never run."""

from typing import assert_type

from continuable import App, Job, Step
from continuable.declaration.handle import Handle

app = App()


async def fetch() -> bytes:
    return b""


async def walk(step: Step[int]) -> str:
    assert_type(step.cursor, int)
    step.advance()
    return "walked"


def count() -> int:
    return 3


@app.job(max_retries=3)
async def crawl(job: Job, depth: int) -> float:
    assert_type(await job.step(fetch), bytes)
    assert_type(await job.step(walk, start=0), str)
    assert_type(job.step(count), int)

    @job.step(start=depth)
    async def follow_links(step: Step[int]) -> list[str]:
        step.set(step.cursor + 1)
        return []

    assert_type(await follow_links, list[str])

    @job.step
    async def publish() -> None: ...

    await publish
    return 0.5


handle = crawl.enqueue(1)
assert_type(handle, Handle[float])
assert_type(handle.result(), float)


async def main() -> None:
    assert_type(await crawl(1), float)
    assert_type(await crawl.aenqueue(depth=1), Handle[float])
