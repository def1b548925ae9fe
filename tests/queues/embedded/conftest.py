"""A job table on a fresh file, a clock that the test sets, and jobs in one line."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from continuable.model.payload import Enqueueing, JobRecord
from continuable.progress import Claim
from continuable.queues.embedded.database import JobDatabase
from continuable.queues.embedded.liveness import WorkerLock
from continuable.queues.embedded.table import JobTable

NOON = 1_700_000_000.0


class Clock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.db"


@pytest.fixture
def database(path: Path, clock: Clock) -> Iterator[JobDatabase]:
    database = JobDatabase(path, clock=clock)
    yield database
    database.close()


@pytest.fixture
def table(database: JobDatabase) -> JobTable:
    return JobTable(database)


@pytest.fixture
def enqueue(table: JobTable) -> Callable[..., str]:
    """Put one job on the queue; its id."""
    numbers = count(1)

    def enqueue(name: str = "app.job", **options: object) -> str:
        item = enqueueing(options.pop("id", f"job-{next(numbers)}"), name, **options)
        return table.enqueue([item])[0].id

    return enqueue


@pytest.fixture
def claimed(table: JobTable, enqueue: Callable[..., str]) -> Callable[..., Claim]:
    """Put one job on the queue and claim it."""

    def claimed(worker: str = "me", **options: object) -> Claim:
        job = table.claim_job(worker, enqueue(**options))
        assert job is not None
        return job

    return claimed


@pytest.fixture
def running_elsewhere(claimed: Callable[..., Claim], path: Path) -> Iterator[Callable[..., Claim]]:
    """Put one job on the queue and claim it for a worker that is alive."""
    lock = WorkerLock(path, "alive")
    lock.acquire()
    yield partial(claimed, "alive")
    lock.release()


@pytest.fixture
def raw(path: Path, table: JobTable) -> Iterator[sqlite3.Connection]:
    """Another connection to the same file, as the user's own would be."""
    table.database.open()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


@pytest.fixture
def make() -> Callable[..., Enqueueing]:
    return enqueueing


def enqueueing(
    id: str,
    name: str = "app.job",
    *,
    queue: str | None = None,
    priority: int = 0,
    arguments: str = "[[],{}]",
    **options: object,
) -> Enqueueing:
    record = JobRecord(id=id, name=name, queue=queue, priority=priority, arguments=arguments)
    return Enqueueing(record=record, **options)
