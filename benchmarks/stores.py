"""What it costs to keep progress in a store on a server, and in a file of its own."""

from __future__ import annotations

import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import sqlalchemy as sa

from benchmarks import rows
from benchmarks.progress import BATCH, BATCHES, time_by_hand, time_commit
from benchmarks.projects.jobs import time_rows
from benchmarks.table import Figure, interleaved, median_of_ratios
from continuable import App, Job, Step
from continuable.core.outcome import Completed
from continuable.model.payload import JobRecord
from continuable.progress.protocol import ProgressStore, Save
from continuable.progress.redis import RedisProgress
from continuable.progress.sqlalchemy import SQLAlchemyProgress
from continuable.progress.sqlite import SQLiteProgress
from continuable.queues.consumer import Consumer, Finished
from tests.servers import mariadb
from tests.servers.postgresql import PostgreSQL
from tests.servers.redis import RedisServer

A = TypeVar("A")

ROUNDS = 7
SAVES = 1000
INSERT = sa.text("INSERT INTO rows_of_ours VALUES (:number)")
UPDATE = sa.text("UPDATE job_progress SET position = :position WHERE job = :job")


def figures() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "progress.db"
        store = SQLiteProgress(path)
        yield save_figure("SQLiteProgress", store)
        yield commit_figure("SQLiteProgress", on_sqlite(store, path))
        store.close()
    yield from sql_figures("PostgreSQL", PostgreSQL, with_rows=True)
    if mariadb.is_there():
        yield from sql_figures("MariaDB", mariadb.MariaDB)
    with started(RedisServer) as server:
        redis = RedisProgress(server.url)
        yield save_figure("RedisProgress", redis)
        yield rows_figure("RedisProgress", redis)
        redis.close()


def sql_figures(name: str, kind: Callable[[], Any], *, with_rows: bool = False) -> Iterator[Figure]:
    with started(kind) as server:
        store = SQLAlchemyProgress(server.url)
        yield save_figure(name, store)
        yield commit_figure(name, on_sqlalchemy(store, server.url))
        if with_rows:
            yield rows_figure(name, store)
        store.close()


@contextmanager
def started(kind: Callable[[], Any]) -> Iterator[Any]:
    server = kind()
    try:
        yield server
    finally:
        server.end()


def save_figure(name: str, store: ProgressStore) -> Figure:
    claim = store.claim(JobRecord(id="saved", name="saved"), "benchmark")
    taken = []
    for number in range(1, SAVES + 1):
        document = f'{{"completed":["validate"],"current":["process_records",{number}]}}'
        started_at = time.perf_counter()
        store.save([Save(claim.id, claim.fence, claim.worker, number, document)])
        taken.append(time.perf_counter() - started_at)
    return Figure(f"a save, {name}", statistics.median(taken) * 1e6, "us")


def commit_figure(name: str, measured: dict[str, list[float]]) -> Figure:
    ratio = median_of_ratios(measured["ours"], measured["by_hand"])
    taken = [statistics.median(measured[way]) / BATCHES * 1e6 for way in ("ours", "by_hand")]
    what = f"commit of {BATCH} rows and cursor / UPDATE by hand, {name}"
    return Figure(what, ratio, "x", "<= 1.2", "{:.0f} us against {:.0f} us".format(*taken))


def on_sqlite(store: SQLiteProgress, path: Path) -> dict[str, list[float]]:
    def measure(job: Job, step: Step[int]) -> dict[str, list[float]]:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("CREATE TABLE rows (number INTEGER)")
            connection.execute("CREATE TABLE job_progress (job TEXT PRIMARY KEY, cursor)")
            connection.execute("INSERT INTO job_progress VALUES (?, 0)", [job.id])
            connection.execute("PRAGMA synchronous=NORMAL")
            return interleaved(
                ROUNDS,
                by_hand=lambda: time_by_hand(connection, job.id),
                ours=lambda: time_commit(connection, step),
            )

    return measured_in(store, measure)


def on_sqlalchemy(store: SQLAlchemyProgress, url: str) -> dict[str, list[float]]:
    def measure(job: Job, step: Step[int]) -> dict[str, list[float]]:
        engine = sa.create_engine(url)
        with engine.begin() as connection:
            connection.execute(sa.text("CREATE TABLE rows_of_ours (number INTEGER)"))
            table = "CREATE TABLE job_progress (job VARCHAR(64) PRIMARY KEY, position INTEGER)"
            connection.execute(sa.text(table))
            connection.execute(
                sa.text("INSERT INTO job_progress VALUES (:job, 0)"), {"job": job.id}
            )
        with engine.connect() as connection:
            measured = interleaved(
                ROUNDS,
                by_hand=lambda: time_update(connection, job.id),
                ours=lambda: time_transaction(connection, step),
            )
        engine.dispose()
        return measured

    return measured_in(store, measure)


def numbers(batch: int) -> list[dict[str, int]]:
    return [{"number": number} for number in range(batch * BATCH, (batch + 1) * BATCH)]


def time_update(connection: sa.Connection, job_id: str) -> float:
    started_at = time.perf_counter()
    for batch in range(BATCHES):
        with connection.begin():
            connection.execute(INSERT, numbers(batch))
            connection.execute(UPDATE, {"position": batch, "job": job_id})
    return time.perf_counter() - started_at


def time_transaction(connection: sa.Connection, step: Step[int]) -> float:
    started_at = time.perf_counter()
    for batch in range(BATCHES):
        with step.transaction(connection) as transaction:
            connection.execute(INSERT, numbers(batch))
            transaction.save(batch, items=BATCH)
    return time.perf_counter() - started_at


def measured_in(
    store: ProgressStore, measure: Callable[[Job, Step[int]], dict[str, list[float]]]
) -> dict[str, list[float]]:
    """What `measure` finds in the step of a job that a queue has delivered."""
    return deliver(
        store, lambda job: job.step(lambda step: measure(job, step), name="batches", start=0)
    )


def rows_figure(name: str, store: ProgressStore) -> Figure:
    what = f"80,000 rows of 20 us, saved each second, {name}"
    return rows.figure(what, lambda turns: deliver(store, lambda job: time_rows(job, turns)))


def deliver(store: ProgressStore, function: Callable[[Job], A]) -> A:
    """What a job returns that is run as a queue's worker does."""
    app = App()
    job = app.job(function, name="measured", save_every=1.0)
    consumer = Consumer(app.jobs, store, lambda *_: None)
    consumer.start()
    delivered = consumer.run(JobRecord(id=str(uuid4()), name=job.name))
    consumer.close()
    assert isinstance(delivered, Finished), delivered
    assert isinstance(delivered.outcome, Completed), delivered.outcome
    return delivered.outcome.value
