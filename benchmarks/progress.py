"""What it costs to keep progress: a save, and a commit in the user's own transaction."""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.table import Figure, interleaved, median_of_ratios
from continuable import App, Job, Step
from continuable.progress import Save
from continuable.queues.embedded.worker import Worker, WorkerOptions

BATCHES = 300
BATCH = 100
ROUNDS = 7
SAVES = 2000


def figures() -> Iterator[Figure]:
    measured: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "jobs.db"
        app = App(f"sqlite:///{path}")

        @app.job
        def measure(job: Job) -> None:
            @job.step(start=0)
            def batches(step: Step[int]) -> None:
                connection = sqlite3.connect(path, isolation_level=None)
                connection.execute("CREATE TABLE rows (number INTEGER)")
                connection.execute("CREATE TABLE job_progress (job TEXT PRIMARY KEY, cursor)")
                connection.execute("INSERT INTO job_progress VALUES (?, 0)", [job.id])
                connection.execute("PRAGMA synchronous=NORMAL")
                measured.update(
                    interleaved(
                        ROUNDS,
                        by_hand=lambda: time_by_hand(connection, job.id),
                        ours=lambda: time_commit(connection, step),
                    )
                )
                connection.close()

        measure.enqueue()
        Worker(app.queue, WorkerOptions(drain=True)).run()
        ratio = median_of_ratios(measured["ours"], measured["by_hand"])
        yield Figure("commit of 100 rows and cursor / UPDATE by hand", ratio, "x", "<= 1.2")
        yield Figure("a save", time_save(app), "us")
        app.queue.close()


def rows(batch: int) -> list[tuple[int]]:
    return [(number,) for number in range(batch * BATCH, (batch + 1) * BATCH)]


def time_by_hand(connection: sqlite3.Connection, job_id: str) -> float:
    started = time.perf_counter()
    for batch in range(BATCHES):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO rows VALUES (?)", rows(batch))
        connection.execute("UPDATE job_progress SET cursor = ? WHERE job = ?", [batch, job_id])
        connection.execute("COMMIT")
    return time.perf_counter() - started


def time_commit(connection: sqlite3.Connection, step: Step[int]) -> float:
    started = time.perf_counter()
    for batch in range(BATCHES):
        with step.transaction(connection) as tx:
            connection.executemany("INSERT INTO rows VALUES (?)", rows(batch))
            tx.save(batch, items=BATCH)
    return time.perf_counter() - started


def time_save(app: App) -> float:
    @app.job(name="saved")
    def saved(job: Job) -> None: ...

    saved.enqueue()
    claimed = app.queue.table.claim_next("benchmark")
    started = time.perf_counter()
    for number in range(1, SAVES + 1):
        document = f'{{"completed":["validate"],"current":["process_records",{number}]}}'
        app.queue.table.save([Save(claimed.id, claimed.fence, claimed.worker, number, document)])
    return (time.perf_counter() - started) / SAVES * 1e6
