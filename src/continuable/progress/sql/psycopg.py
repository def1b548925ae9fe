"""A transaction that is open on a psycopg connection of the user's own."""

from __future__ import annotations

from functools import cache
from typing import Any

from continuable.connections.connection import Awaited
from continuable.progress.sql.dialects import PARAMETER
from continuable.progress.sql.store import Parameters, Result, Session


def session_on(connection: Any) -> Session:
    """A `Session` on it, with cursors and rows of its own kind, not of the user's."""
    import psycopg
    from psycopg.rows import tuple_row

    if isinstance(connection, Awaited):
        return _AwaitedSession(psycopg.AsyncCursor(connection.connection, row_factory=tuple_row))
    return _Session(psycopg.Cursor(connection, row_factory=tuple_row))


class _Session:
    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def run(self, sql: str, parameters: Parameters) -> Result:
        self._cursor.execute(for_psycopg(sql), parameters)
        rows = self._cursor.fetchall() if self._cursor.description else ()
        return Result(rows, self._cursor.rowcount)


class _AwaitedSession:
    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def run(self, sql: str, parameters: Parameters) -> Result:
        """Run one statement, called from within `continuable.connections.connection.run_on`."""
        from sqlalchemy.util import await_only

        await_only(self._cursor.execute(for_psycopg(sql), parameters))
        rows = await_only(self._cursor.fetchall()) if self._cursor.description else ()
        return Result(rows, self._cursor.rowcount)


@cache
def for_psycopg(sql: str) -> str:
    """The statement with its parameters as that driver writes them."""
    return PARAMETER.sub(r"%(\1)s", sql.replace("%", "%%"))
