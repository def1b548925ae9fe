"""The embedded queue passes the suite for queues too, with `continuable worker`."""

import os
import signal
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib import import_module
from pathlib import Path

import pytest

from continuable.conformance import QueueSuite
from continuable.queues.embedded import EmbeddedQueue

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
DATABASE = "CONTINUABLE_TEST_DATABASE"
PROJECT = "tests.queues.embedded.conformance_project"


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    os.environ[DATABASE] = str(tmp_path_factory.mktemp("queue") / "jobs.db")
    project = import_module(PROJECT)
    yield project
    project.app.queue.close()
    del os.environ[DATABASE]


class TestEmbeddedQueue(QueueSuite):
    kinds = EmbeddedQueue.worker_kinds
    hurries = ((signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGINT))

    # Nothing is delivered, so that nothing is delivered twice.
    test_a_job_that_is_delivered_twice_at_once_runs_once = None
    test_a_finished_job_that_is_delivered_again_is_dropped = None

    @pytest.fixture
    def app(self, project):
        for job in project.app.queue.board.list():
            project.app.queue.table.discard(job.id)
        return project.app

    @pytest.fixture
    def command(self):
        def command(kind):
            processes = ["-p", "2"] if kind == "worker -p" else []
            return [
                *[sys.executable, "-m", "continuable", "worker", f"{PROJECT}:app"],
                *["-c", "1", *processes],
            ]

        return command

    @pytest.fixture
    def environment(self, project):
        return {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}

    @pytest.fixture
    def own_store(self, app):
        return app.queue.table

    @pytest.fixture
    def undone_transaction(self, app):
        @contextmanager
        def undone() -> Iterator[sqlite3.Connection]:
            path = app.queue.database.path
            with closing(sqlite3.connect(path, isolation_level=None)) as connection:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("ROLLBACK")

        return undone
