"""`SQLiteProgress`: a store in an SQLite file, on the standard library alone."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from continuable.connections.connection import is_in_transaction
from continuable.progress.rowstore import LEASE
from continuable.progress.sql.dialects import SQLITE, Dialect
from continuable.progress.sql.store import Parameters, Result, Session, SQLStore
from continuable.sqlite.connection import LOCK_WAIT, run_in_transaction
from continuable.sqlite.database import Database
from continuable.sqlite.location import SCHEME, path_of
from continuable.sqlite.troubles import trouble

# Its sessions hand every statement the time.
DIALECT = dataclasses.replace(SQLITE, now=":now")


class SQLiteStore(SQLStore):
    """Rows in a table of an SQLite file."""

    def __init__(self, database: Database, *, lease: float = LEASE) -> None:
        super().__init__(lease=lease)
        self.database = database

    @property
    def _dialect(self) -> Dialect:
        return DIALECT

    @contextmanager
    def _writing(self, timeout: float | None = None) -> Iterator[SQLiteSession]:
        wait = LOCK_WAIT if timeout is None else timeout
        with self.database.transaction(timeout=wait) as connection:
            yield SQLiteSession(connection, self.database.clock())

    @contextmanager
    def _reading(self) -> Iterator[SQLiteSession]:
        with self.database.reading() as connection:
            yield SQLiteSession(connection, self.database.clock())

    def _joined(self, connection: Any, *, again: bool) -> AbstractContextManager[Session]:
        self.database.refuse_other(connection, is_known=again)
        return _Joined(connection, self.database)

    def is_in_transaction(self, connection: Any) -> bool:
        return connection is not None and is_in_transaction(connection)

    def close(self) -> None:
        """Close the file, which opens again when it is needed."""
        self.database.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.database.path)!r})"


class SQLiteProgress(SQLiteStore):
    """Progress in one SQLite file, for jobs whose queue and workers are on one machine.

    Args:
        path: The file, or its url (`sqlite:///progress.db`); made if missing. Where it is the
            file of your own data, `step.commit` writes both in one transaction.
        lease: Seconds for which a claim holds without a sign of life from its worker.
    """

    def __init__(self, path: str | Path, *, lease: float = LEASE) -> None:
        is_url = isinstance(path, str) and path.startswith(SCHEME)
        database = _ProgressDatabase(path_of(str(path)) if is_url else path)
        super().__init__(database, lease=lease)


class SQLiteSession:
    """The statements of one transaction, which all happen at the same time."""

    __slots__ = ("connection", "now")

    def __init__(self, connection: sqlite3.Connection, now: float) -> None:
        self.connection = connection
        self.now = now

    def run(self, sql: str, parameters: Parameters) -> Result:
        """Run one; its parameters are written `:so`."""
        cursor = self.connection.cursor()
        cursor.row_factory = None  # rows come as tuples, also where the user has set another
        cursor.execute(sql, {**parameters, "now": self.now})
        return Result(cursor.fetchall() if cursor.description else (), cursor.rowcount)


class _Joined:
    """No generator: this is once a batch."""

    __slots__ = ("_connection", "_database")

    def __init__(self, connection: sqlite3.Connection, database: Database) -> None:
        self._connection = connection
        self._database = database

    def __enter__(self) -> Session:
        return SQLiteSession(self._connection, self._database.clock())

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, sqlite3.Error):
            raise trouble(error, self._database.path) from error


class _ProgressDatabase(Database):
    def make_tables(self, connection: sqlite3.Connection) -> None:
        run_in_transaction(connection, SQLITE.statement("schema_of_sqlite"))
