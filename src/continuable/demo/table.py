"""The demo's table of records, in SQLite or PostgreSQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any

from continuable.connections.connection import transaction_on

Record = tuple[int, str, str]
"""The number of a row from 1 on, its fields as JSON, and the digest of them."""

# A record that is replaced gets a new `id`, so that the highest one is the newest.
RECORDS = """
CREATE TABLE IF NOT EXISTS records (
    id {id} PRIMARY KEY, number integer NOT NULL, data text NOT NULL, digest text NOT NULL,
    key text UNIQUE, written integer NOT NULL DEFAULT 1
)
"""
IMPORTS = "CREATE TABLE IF NOT EXISTS imports (file text PRIMARY KEY, records integer NOT NULL)"
INSERT = "INSERT INTO records (number, data, digest) VALUES (?, ?, ?)"
PUT = """
INSERT INTO records (key, number, data, digest) VALUES (?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET id = excluded.id, number = excluded.number, data = excluded.data,
    digest = excluded.digest, written = records.written + 1
"""
NOTE_IMPORT = """
INSERT INTO imports (file, records) VALUES (?, ?)
ON CONFLICT (file) DO UPDATE SET records = excluded.records
"""
NEWEST = "SELECT number FROM records ORDER BY id DESC LIMIT 1"
COUNTS = "SELECT count(*), count(DISTINCT number), coalesce(sum(written), 0) FROM records"
ROWS = "SELECT number, data FROM records ORDER BY number, id"


class Table:
    """The table `records`, on a connection of its own.

    Args:
        place: A url `postgresql://...`, or the path of an SQLite file.
    """

    def __init__(self, place: str) -> None:
        self.connection: Any
        """A connection that `step.transaction` takes: without one, each statement commits."""
        self._is_postgresql = place.startswith("postgresql://")
        if self._is_postgresql:
            import psycopg

            self.connection = psycopg.connect(place, autocommit=True)
        else:
            self.connection = sqlite3.connect(place, isolation_level=None)
            self.connection.execute("PRAGMA journal_mode = WAL")
            self.connection.execute("PRAGMA synchronous = NORMAL")

    def create(self) -> None:
        """Create the tables that are missing."""
        number = "bigserial" if self._is_postgresql else "integer"
        self._execute(RECORDS.format(id=number))
        self._execute(IMPORTS)

    def transaction(self) -> AbstractContextManager[object]:
        """A transaction without a cursor in it."""
        return transaction_on(self.connection)

    def insert(self, records: Iterable[Record]) -> None:
        """Insert records, even if their numbers are there already; in a transaction."""
        self.connection.cursor().executemany(self._sql(INSERT), records)

    def put(self, key: str, record: Record) -> None:
        """Insert a record, or replace the one that has the key; in a transaction."""
        self._execute(PUT, key, *record)

    def note_import(self, file: str) -> int:
        """Note that a file is imported, and return the number of records; in a transaction."""
        records, _, _ = self.counts()
        self._execute(NOTE_IMPORT, file, records)
        return records

    def newest(self) -> int:
        """The number of the row that was written last; 0 while there is none."""
        found = self._execute(NEWEST).fetchone()
        return int(found[0]) if found else 0

    def counts(self) -> tuple[int, int, int]:
        """The numbers of records, of different rows among them, and of writes."""
        records, different, written = self._execute(COUNTS).fetchone()
        return records, different, written

    def rows(self) -> Iterator[tuple[int, str]]:
        """Number and fields of each record, by number."""
        yield from self._execute(ROWS)

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    def _execute(self, sql: str, *parameters: object) -> Any:
        return self.connection.execute(self._sql(sql), parameters)

    def _sql(self, sql: str) -> str:
        """A statement with its parameters as the driver writes them."""
        return sql.replace("?", "%s") if self._is_postgresql else sql
