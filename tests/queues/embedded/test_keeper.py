"""A row of the job table keeps the progress of its job, as the row of any store does."""

import sqlite3
from contextlib import closing, contextmanager

import pytest

from continuable.conformance import KeeperSuite
from continuable.queues.embedded.liveness import WorkerLock


class Transactions:
    """Of the user's own, on the queue's file and on another."""

    def __init__(self, path):
        self.path = path

    @contextmanager
    def connect(self):
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            yield connection

    @contextmanager
    def begin(self, path=None):
        with closing(sqlite3.connect(path or self.path, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            with connection:
                yield connection

    def elsewhere(self):
        return self.begin(self.path.with_name("other.db"))


class TestJobTable(KeeperSuite):
    @pytest.fixture
    def keeper(self, table):
        return table

    @pytest.fixture
    def hold(self, path, table, enqueue):
        lock = WorkerLock(path, "one")
        lock.acquire()
        yield lambda job_id: table.claim_job("one", enqueue(id=job_id))
        lock.release()

    @pytest.fixture
    def transactions(self, path):
        return Transactions(path)
