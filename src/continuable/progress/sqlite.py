"""`SQLiteProgress`: a store in an SQLite file, on the standard library alone."""

from __future__ import annotations

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


class SQLiteProgress(SQLStore):
    """Progress in one SQLite file, for jobs whose queue and workers are on one machine.

    Args:
        path: The file, or its url (`sqlite:///progress.db`); made if missing. Where it is the
            file of your own data, `step.commit` writes both in one transaction.
        lease: Seconds for which a claim holds without a sign of life from its worker.
    """

    def __init__(self, path: str | Path, *, lease: float = LEASE) -> None:
        super().__init__(lease=lease)
        is_url = isinstance(path, str) and path.startswith(SCHEME)
        self._database = _ProgressDatabase(path_of(str(path)) if is_url else path)

    @property
    def _dialect(self) -> Dialect:
        return SQLITE

    @contextmanager
    def _writing(self, timeout: float | None = None) -> Iterator[Session]:
        wait = LOCK_WAIT if timeout is None else timeout
        with self._database.transaction(timeout=wait) as connection:
            yield _Session(connection)

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        with self._database.reading() as connection:
            yield _Session(connection)

    def _joined(self, connection: Any, *, again: bool) -> AbstractContextManager[Session]:
        self._database.refuse_other(connection, is_known=again)
        return _Joined(connection, self._database.path)

    def is_in_transaction(self, connection: Any) -> bool:
        return connection is not None and is_in_transaction(connection)

    def close(self) -> None:
        """Close the file, which opens again when it is needed."""
        self._database.close()

    def __repr__(self) -> str:
        return f"SQLiteProgress({str(self._database.path)!r})"


class _Joined:
    """No generator: this is once a batch."""

    __slots__ = ("_connection", "_path")

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def __enter__(self) -> Session:
        return _Session(self._connection)

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, sqlite3.Error):
            raise trouble(error, self._path) from error


class _Session:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def run(self, sql: str, parameters: Parameters) -> Result:
        cursor = self._connection.cursor()
        cursor.row_factory = None  # rows come as tuples, whatever the user has set
        cursor.execute(sql, parameters)
        return Result(cursor.fetchall(), cursor.rowcount)


class _ProgressDatabase(Database):
    def make_tables(self, connection: sqlite3.Connection) -> None:
        run_in_transaction(connection, SQLITE.statement("schema_of_sqlite"))
