"""A table in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager

import sqlalchemy as sa

from continuable.demo.tables.protocol import Record

# The `id` of a record that is replaced is a new one; what is rolled back uses some up as well.
SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    id bigserial PRIMARY KEY,
    number integer NOT NULL,
    data text NOT NULL,
    digest bytea NOT NULL,
    key text UNIQUE,
    written integer NOT NULL DEFAULT 1
);
CREATE TABLE IF NOT EXISTS imports (file text PRIMARY KEY, records integer NOT NULL);
"""
INSERT = sa.text("INSERT INTO records (number, data, digest) VALUES (:number, :data, :digest)")
PUT = sa.text(
    "INSERT INTO records (key, number, data, digest) VALUES (:key, :number, :data, :digest) "
    "ON CONFLICT (key) DO UPDATE SET id = excluded.id, number = excluded.number, "
    "data = excluded.data, digest = excluded.digest, written = records.written + 1"
)
NOTE_IMPORT = sa.text(
    "INSERT INTO imports (file, records) SELECT :file, count(*) FROM records "
    "ON CONFLICT (file) DO UPDATE SET records = excluded.records RETURNING records"
)
NEWEST = sa.text("SELECT number FROM records ORDER BY id DESC LIMIT 1")
COUNTS = sa.text("SELECT count(*), count(DISTINCT number), coalesce(sum(written), 0) FROM records")
ROWS = sa.text("SELECT number, data FROM records ORDER BY number, id")


class PostgreSQLTable:
    """The table `records` of a database; `create_tables` makes it."""

    def __init__(self, url: sa.URL) -> None:
        self._engine = sa.create_engine(url, poolclass=sa.NullPool)
        self.connection = self._engine.connect()

    def create_tables(self) -> None:
        """Make what is missing."""
        with self.transaction():
            self.connection.exec_driver_sql(SCHEMA)

    def transaction(self) -> AbstractContextManager[object]:
        """See `Table.transaction`."""
        return self.connection.begin()

    def insert(self, records: Iterable[Record]) -> None:
        """See `Table.insert`."""
        self.connection.execute(INSERT, [_parameters(record) for record in records])

    def put(self, key: str, record: Record) -> None:
        """See `Table.put`."""
        self.connection.execute(PUT, {"key": key} | _parameters(record))

    def note_import(self, file: str) -> int:
        """See `Table.note_import`."""
        return int(self.connection.execute(NOTE_IMPORT, {"file": file}).scalar_one())

    def newest(self) -> int:
        """See `Table.newest`."""
        with self.transaction():
            return int(self.connection.execute(NEWEST).scalar() or 0)

    def counts(self) -> tuple[int, int, int]:
        """See `Table.counts`."""
        with self.transaction():
            records, different, written = self.connection.execute(COUNTS).one()
        return records, different, written

    def rows(self) -> Iterator[tuple[int, str]]:
        """See `Table.rows`."""
        with self.transaction():
            yield from ((number, data) for number, data in self.connection.execute(ROWS))

    def close(self) -> None:
        """See `Table.close`."""
        self.connection.close()


def _parameters(record: Record) -> dict[str, object]:
    return dict(zip(("number", "data", "digest"), record, strict=True))
