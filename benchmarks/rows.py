"""80,000 rows with `advance` per row, against the same loop without continuations."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.projects.tasks import ROWS, spin, spins_per_row
from benchmarks.table import Figure, ratio_of_bests
from continuable import App, Job, Step
from continuable.queues.embedded.worker import Worker, WorkerOptions

ROUNDS = 5


def figures() -> Iterator[Figure]:
    measured: dict[str, list[float]] = {}
    spins = spins_per_row()
    with tempfile.TemporaryDirectory() as folder:
        app = App(f"sqlite:///{Path(folder) / 'jobs.db'}")

        @app.job(save_every=1.0)
        def measure(job: Job) -> None:
            for name, turns in (("working", spins), ("empty", 0)):
                bare, ours = [], []
                for number in range(ROUNDS):
                    bare.append(time_bare(turns))
                    ours.append(job.step(time_advancing(turns), name=f"{name} {number}", start=0))
                measured[f"{name} bare"], measured[f"{name} ours"] = bare, ours

        measure.enqueue()
        Worker(app, WorkerOptions(drain=True)).run()
        app.queue.close()
    ratio = ratio_of_bests(measured["working ours"], measured["working bare"])
    yield Figure("80,000 rows of 20 us, advance per row, saved each second", ratio, "x", "<= 1.03")
    ours = statistics.median(measured["empty ours"])
    bare = statistics.median(measured["empty bare"])
    detail = f"{ours * 1000:.1f} ms against {bare * 1000:.1f} ms"
    yield Figure("the same with rows that do nothing", ours / bare, "x", detail=detail)


def time_bare(turns: int) -> float:
    started = time.perf_counter()
    for _ in range(ROWS):
        spin(turns)
    return time.perf_counter() - started


def time_advancing(turns: int):
    def rows(step: Step[int]) -> float:
        started = time.perf_counter()
        for _ in range(step.cursor, ROWS):
            spin(turns)
            step.advance()
        return time.perf_counter() - started

    return rows
