"""The same tasks as jobs, and one that goes on until it is stopped."""

import os
import time

from benchmarks.pace import Pace, spin
from benchmarks.projects import tasks
from continuable import App, Job, Step

LEASE = "CONTINUABLE_BENCHMARK_LEASE"
"""Seconds of a lease, where it is not the default one."""
CHECKPOINT_GAP = 0.001


def lease() -> dict[str, float]:
    return {"lease": float(os.environ[LEASE])} if LEASE in os.environ else {}


def declare(app: App, module: dict[str, object]) -> None:
    """Make the jobs of `app`, and put them where an engine finds them by their names."""

    def noop(job: Job, batch: str, number: int, count: int) -> None:
        tasks.noop(batch, number, count)

    def rows(job: Job, batch: str, turns: int) -> None:
        tasks.mark(batch, time_rows(job, turns))

    def long(job: Job) -> None:
        @job.step(start=0)
        def steps(step: Step[int]) -> None:
            while True:
                time.sleep(CHECKPOINT_GAP)
                step.advance()

    for function in (noop, rows, long):
        function.__module__, function.__qualname__ = module["__name__"], function.__name__
        module[function.__name__] = app.job(function)


def time_rows(job: Job, turns: int) -> float:
    """As `time_bare`, with a cursor."""
    pace = Pace(turns)

    @job.step(start=0)
    def working(step: Step[int]) -> None:
        for block in pace.rows():
            for _ in block:
                spin(turns)
                step.advance()

    return pace.taken()
