"""What it takes to prove a job resumable: every strike at a job of 1,000 checkpoints."""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks.table import Figure
from continuable import App, Job, Step
from continuable.testing import check_resumable

CHECKPOINTS = 1000


def figures() -> Iterator[Figure]:
    @App().job
    def count(job: Job) -> None:
        @job.step(start=0)
        def numbers(step: Step[int]) -> None:
            while step.cursor < CHECKPOINTS:
                step.advance()

    @App().job
    async def acount(job: Job) -> None:
        @job.step(start=0)
        async def numbers(step: Step[int]) -> None:
            while step.cursor < CHECKPOINTS:
                step.advance()

        await numbers

    for kind, job in (("a plain", count), ("an async", acount)):
        started = time.perf_counter()
        found = check_resumable(job)
        seconds = time.perf_counter() - started
        what = f"check_resumable, {kind} job of 1,000 checkpoints"
        yield Figure(what, seconds, "s", "<= 5", f"{found.runs:,} strikes")
