"""What a completed step costs on the embedded queue, in jobs of few steps and of many."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.table import Figure
from continuable import App, Job
from continuable.queues.embedded.queue import EmbeddedQueue
from continuable.queues.embedded.worker import Worker, WorkerOptions

COUNTS = (100, 1_000, 10_000)
ROUNDS = {100: 10, 1_000: 3, 10_000: 1}


def figures() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        for count in COUNTS:
            taken = [milliseconds_a_step(Path(folder), count) for _ in range(ROUNDS[count])]
            what = f"a completed step, in a job of {count:,}"
            yield Figure(what, min(taken), "ms", "<= 0.3")


def milliseconds_a_step(folder: Path, count: int) -> float:
    taken: list[float] = []
    queue = EmbeddedQueue(f"sqlite:///{folder / f'{time.monotonic_ns()}.db'}")
    app = App(queue=queue)

    @app.job
    def work(job: Job) -> None:
        started = time.perf_counter()
        for number in range(count):
            job.step(lambda: None, name=f"step {number}")
        taken.append(time.perf_counter() - started)

    work.enqueue()
    Worker(queue, WorkerOptions(drain=True)).run()
    queue.close()
    return taken[0] / count * 1000
