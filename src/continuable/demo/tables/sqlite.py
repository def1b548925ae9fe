"""A table in an SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from continuable.demo.tables.protocol import Record

# An `id` is never used twice, so that the newest one counts every insert there ever was.
SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    number INTEGER NOT NULL,
    data TEXT NOT NULL,
    digest BLOB NOT NULL,
    key TEXT UNIQUE
);
CREATE TABLE IF NOT EXISTS imports (file TEXT PRIMARY KEY, records INTEGER NOT NULL);
"""


class SQLiteTable:
    """The table `records` of a file, which is made."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = NORMAL")
        self.connection.executescript(SCHEMA)

    def transaction(self) -> AbstractContextManager[object]:
        """See `Table.transaction`."""
        return self.connection

    def insert(self, records: Iterable[Record]) -> None:
        """See `Table.insert`."""
        sql = "INSERT INTO records (number, data, digest) VALUES (?, ?, ?)"
        self.connection.executemany(sql, records)

    def put(self, key: str, record: Record) -> None:
        """See `Table.put`."""
        sql = "INSERT OR REPLACE INTO records (key, number, data, digest) VALUES (?, ?, ?, ?)"
        self.connection.execute(sql, (key, *record))

    def note_import(self, file: str) -> int:
        """See `Table.note_import`."""
        (count,) = self.connection.execute("SELECT count(*) FROM records").fetchone()
        sql = "INSERT OR REPLACE INTO imports (file, records) VALUES (?, ?)"
        self.connection.execute(sql, (file, count))
        return int(count)

    def newest(self) -> int:
        """See `Table.newest`."""
        sql = "SELECT number FROM records ORDER BY id DESC LIMIT 1"
        found = self.connection.execute(sql).fetchone()
        return int(found[0]) if found else 0

    def counts(self) -> tuple[int, int, int]:
        """See `Table.counts`."""
        sql = "SELECT count(*), count(DISTINCT number), ifnull(max(id), 0) FROM records"
        records, different, written = self.connection.execute(sql).fetchone()
        return records, different, written

    def rows(self) -> Iterator[tuple[int, str]]:
        """See `Table.rows`."""
        yield from self.connection.execute("SELECT number, data FROM records ORDER BY number, id")

    def close(self) -> None:
        """See `Table.close`."""
        self.connection.close()
