"""`SQLiteProgress` is a progress store."""

import sqlite3
from contextlib import closing, contextmanager
from functools import partial

import pytest

from continuable.conformance import ProgressStoreSuite
from continuable.progress.sqlite import SQLiteProgress


class Transactions:
    def __init__(self, path, elsewhere):
        self.path = path
        self.other = elsewhere

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
        return self.begin(self.other)


class TestSQLite(ProgressStoreSuite):
    @pytest.fixture
    def open_store(self, tmp_path):
        return partial(SQLiteProgress, tmp_path / "progress.db")

    @pytest.fixture
    def transactions(self, tmp_path):
        return Transactions(tmp_path / "progress.db", tmp_path / "other.db")
