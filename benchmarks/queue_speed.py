"""Jobs per second, against Huey on SQLite, one worker process each, both at their defaults."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from huey import SqliteHuey

from benchmarks.table import Figure, interleaved, median_of_ratios
from continuable import App, Job

JOBS = 4000
SINGLES = 100
BULK = 300
ROUNDS = 5
SHORT_ROUNDS = 25
"""Of flushes of the disk, whose times vary more than what is compared."""
CLAIMS = 1000
FEW, MANY = 1_000, 1_000_000
CHUNK = 50_000


def figures() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        taken = interleaved(
            ROUNDS,
            ours=lambda: execute(folder, "ours"),
            huey=lambda: execute(folder, "huey"),
            unsafe=lambda: execute(folder, "unsafe_huey"),
        )
        detail = f"{JOBS / statistics.median(taken['ours']):,.0f} jobs/s"
        ratio = median_of_ratios(taken["huey"], taken["ours"])
        yield Figure("no-op jobs executed / SqliteHuey", ratio, "x", ">= 2.5", detail)
        ratio = median_of_ratios(taken["unsafe"], taken["ours"])
        yield Figure("no-op jobs executed / SqliteHuey(fsync=False)", ratio, "x")
        yield from enqueueing(folder)
        yield from claiming(folder)


def execute(folder: Path, engine: str) -> float:
    """Seconds from the first to the last of many jobs, in a worker process of its own."""
    database = folder / f"{engine}-{time.monotonic_ns()}.db"
    command = [sys.executable, "-m", "benchmarks.consumer", engine, str(database), str(JOBS)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def enqueueing(folder: Path) -> Iterator[Figure]:
    app = App(f"sqlite:///{folder / 'enqueue.db'}")
    huey = SqliteHuey(filename=str(folder / "enqueue-huey.db"))

    @app.job(name="noop")
    def noop(job: Job, number: int) -> None: ...

    @huey.task()
    def huey_noop(number: int) -> None: ...

    def ours() -> float:
        started = time.perf_counter()
        for number in range(SINGLES):
            noop.enqueue(number)
        return time.perf_counter() - started

    def theirs() -> float:
        started = time.perf_counter()
        for number in range(SINGLES):
            huey_noop(number)
        return time.perf_counter() - started

    def bulk() -> float:
        calls = [(number,) for number in range(BULK)]
        started = time.perf_counter()
        noop.enqueue_many(calls)
        return time.perf_counter() - started

    taken = interleaved(SHORT_ROUNDS, ours=ours, huey=theirs)
    detail = f"{SINGLES / statistics.median(taken['ours']):,.0f} jobs/s"
    ratio = median_of_ratios(taken["huey"], taken["ours"])
    yield Figure("enqueue, one by one / SqliteHuey", ratio, "x", ">= 0.8", detail)
    taken = interleaved(ROUNDS, bulk=bulk, huey=theirs)
    detail = f"{BULK / statistics.median(taken['bulk']):,.0f} jobs/s"
    ratio = median_of_ratios(taken["huey"], taken["bulk"]) * BULK / SINGLES
    yield Figure("enqueue_many / SqliteHuey one by one", ratio, "x", ">= 5.0", detail)
    app.queue.close()
    huey.storage.close()


def claiming(folder: Path) -> Iterator[Figure]:
    """The same number of claims with few and with very many jobs waiting."""
    apps = {}
    for waiting in (FEW, MANY):
        app = apps[waiting] = App(f"sqlite:///{folder / f'claim-{waiting}.db'}")

        @app.job(name="noop")
        def noop(job: Job) -> None: ...

        for start in range(0, waiting, CHUNK):
            noop.enqueue_many([()] * min(CHUNK, waiting - start))

    def claims(waiting: int) -> float:
        table = apps[waiting].queue.table
        started = time.perf_counter()
        taken = [table.claim_next("benchmark") for _ in range(CLAIMS // ROUNDS)]
        seconds = time.perf_counter() - started
        for claimed in taken:
            table.release(claimed)
        return seconds

    taken = interleaved(ROUNDS, few=lambda: claims(FEW), many=lambda: claims(MANY))
    ratio = median_of_ratios(taken["many"], taken["few"])
    yield Figure("a claim with 1,000,000 jobs waiting / with 1,000", ratio, "x", "<= 1.5")
    for app in apps.values():
        app.queue.close()
