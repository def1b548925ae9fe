"""80,000 rows with `advance` per row, against the same loop without continuations."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.pace import ROWS, spin, time_bare, turns_per_row
from benchmarks.projects.jobs import time_rows
from benchmarks.table import Figure, interleaved, median_of_ratios
from continuable import App, Job, Step
from continuable.declaration.handle import Handle
from continuable.queues.embedded.worker import Worker, WorkerOptions

ROUNDS = 5
TARGET = "<= 1.03"


def figures() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        app = App(f"sqlite:///{Path(folder) / 'jobs.db'}")

        @app.job(save_every=1.0)
        def working(job: Job, turns: int) -> float:
            return time_rows(job, turns)

        @app.job(save_every=1.0)
        def empty(job: Job) -> float:
            return job.step(time_empty, start=0)

        def worked(handle: Handle[float]) -> float:
            Worker(app.queue, WorkerOptions(drain=True)).run()
            return handle.result()

        what = "80,000 rows of 20 us, advance per row, saved each second"
        yield figure(what, lambda turns: worked(working.enqueue(turns)))
        taken = interleaved(ROUNDS, bare=time_empty_bare, ours=lambda: worked(empty.enqueue()))
        app.queue.close()
    ours, bare = (statistics.median(taken[way]) for way in ("ours", "bare"))
    detail = f"{ours * 1000:.1f} ms against {bare * 1000:.1f} ms"
    yield Figure("the same with rows that do nothing", ours / bare, "x", detail=detail)


def figure(what: str, in_job: Callable[[int], float]) -> Figure:
    """`in_job` has `time_rows` called in a job, with so many turns."""
    turns = turns_per_row()
    taken = interleaved(ROUNDS, bare=lambda: time_bare(turns), ours=lambda: in_job(turns))
    ratio = median_of_ratios(taken["ours"], taken["bare"])
    return Figure(what, ratio, "x", TARGET)


def time_empty_bare() -> float:
    started = time.perf_counter()
    for _ in range(ROWS):
        spin(0)
    return time.perf_counter() - started


def time_empty(step: Step[int]) -> float:
    started = time.perf_counter()
    for _ in range(step.cursor, ROWS):
        spin(0)
        step.advance()
    return time.perf_counter() - started
