"""A database with Procrastinate's tables, empty at the start of each test."""

import os
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import procrastinate
import psycopg
import pytest

from continuable.conformance.workers import Worker
from tests.servers.postgresql import PostgreSQL

ADDRESS = "CONTINUABLE_TEST_PROCRASTINATE"
DATABASE = "procrastinate"
ROOT = Path(__file__).parents[3]
TABLES = "procrastinate_jobs, procrastinate_workers, procrastinate_periodic_defers"


@pytest.fixture(scope="session")
def server_with_tables(postgresql_server: PostgreSQL) -> Iterator[PostgreSQL]:
    server = postgresql_server
    server.create(DATABASE)
    app = procrastinate.App(connector=procrastinate.SyncPsycopgConnector(conninfo=conninfo(server)))
    with app.open():
        app.schema_manager.apply_schema()
    os.environ[ADDRESS] = conninfo(server)
    yield server
    del os.environ[ADDRESS]


@pytest.fixture
def postgresql(server_with_tables: PostgreSQL) -> PostgreSQL:
    server = server_with_tables
    with connected(server) as connection:
        connection.execute(f"TRUNCATE {TABLES} CASCADE")
        if connection.execute("SELECT to_regclass('continuable_progress')").fetchone()[0]:
            connection.execute("TRUNCATE continuable_progress, continuable_progress_history")
    return server


def conninfo(server: PostgreSQL) -> str:
    return server.url_of(DATABASE).replace("+psycopg", "")


def connected(server: PostgreSQL) -> psycopg.Connection:
    return server.connected(DATABASE)


@pytest.fixture
def rows(postgresql: PostgreSQL) -> Callable[..., list[tuple[object, ...]]]:
    """What Procrastinate shows of the jobs, the oldest first."""

    def rows(*columns: str) -> list[tuple[object, ...]]:
        with connected(postgresql) as connection:
            query = f"SELECT {', '.join(columns)} FROM procrastinate_jobs ORDER BY id"
            return connection.execute(query).fetchall()

    return rows


def command(module: str, *options: str) -> list[str]:
    app = f"{module}.procrastinate_app"
    often = ["--fetch-job-polling-interval", "0.1"]
    return [sys.executable, "-m", "procrastinate", "-v", "-a", app, "worker", *often, *options]


def environment(server: PostgreSQL) -> dict[str, str]:
    places = [str(ROOT / "src"), str(ROOT), str(ROOT / "examples")]
    return {ADDRESS: conninfo(server), "PYTHONPATH": os.pathsep.join(places)}


@pytest.fixture
def project(postgresql: PostgreSQL) -> Iterator[ModuleType]:
    """What workers import, here: to enqueue with."""
    project = import_module("tests.queues.procrastinate.project")
    with project.procrastinate_app.open():
        yield project
    project.app.queue.close()
    project.app.progress.close()


@pytest.fixture
def start_worker(postgresql: PostgreSQL, tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    """Starts a worker of the project, or of another module."""
    workers: list[Worker] = []

    def start(*options: str, module: str = "tests.queues.procrastinate.project") -> Worker:
        log = tmp_path / f"worker-{len(workers) + 1}.log"
        workers.append(Worker(command(module, *options), environment(postgresql), log))
        return workers[-1]

    yield start
    for worker in workers:
        worker.end()
