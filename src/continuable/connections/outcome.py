"""Whether a transaction of the user's has committed: a mark inside it that shares its fate."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from continuable.connections.connection import (
    Awaited,
    is_async_connection,
    is_in_transaction,
    is_of_psycopg,
)
from continuable.errors import CheckpointError

_numbers = itertools.count(1)
_listeners: WeakKeyDictionary[Any, _SQLAlchemyListener] = WeakKeyDictionary()


def mark_in(connection: Any) -> Mark:
    """Mark the transaction that is open on `connection`; `CheckpointError` if there is none."""
    if not is_in_transaction(connection):
        raise CheckpointError(
            "Progress can only be committed within an open transaction: begin it with "
            "BEGIN IMMEDIATE and commit it after this call"
        )
    if isinstance(connection, sqlite3.Connection):
        return _SQLiteMark(connection)
    if hasattr(connection, "in_atomic_block"):
        return _DjangoMark(connection)
    if any(kind.__module__.startswith("sqlalchemy.") for kind in type(connection).__mro__):
        return _SQLAlchemyMark(connection)
    if isinstance(connection, Awaited):
        return _PsycopgMark(connection.connection)
    if is_of_psycopg(connection):
        return _PsycopgMark(connection)
    return Mark(connection)


class Mark:
    """A transaction on a connection that tells no more than whether one is open.

    It is believed: once the transaction is over, it is taken for committed.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def is_open(self) -> bool:
        """Whether the connection is in a transaction still."""
        return is_in_transaction(self._connection)

    def is_committed(self) -> bool:
        """Whether the transaction has committed."""
        return not self.is_open()

    def roll_back(self) -> None:
        """End the transaction as the death of its process would."""
        if self.is_open() and hasattr(self._connection, "rollback"):
            self._connection.rollback()


class _SQLiteMark(Mark):
    """A row of a temporary table, which nobody else sees."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._number = next(_numbers)
        cursor = sqlite3.Cursor(connection)  # not `.cursor()`: no row factory of the user's
        cursor.execute("CREATE TEMP TABLE IF NOT EXISTS continuable_marks (mark PRIMARY KEY)")
        cursor.execute("INSERT INTO temp.continuable_marks VALUES (?)", (self._number,))

    def is_committed(self) -> bool:
        """Whether the row is there; taken for granted once the connection is closed."""
        if self.is_open():
            return False
        try:
            found = sqlite3.Cursor(self._connection).execute(
                "SELECT 1 FROM temp.continuable_marks WHERE mark = ?", (self._number,)
            )
            return found.fetchone() is not None
        except sqlite3.OperationalError:  # the table itself was rolled back
            return False
        except sqlite3.ProgrammingError:  # closed
            return True


class _DjangoMark(Mark):
    """In an atomic block, which also sees to a rollback by itself."""

    def __init__(self, connection: Any) -> None:
        from django.db import transaction

        super().__init__(connection)
        self._was_committed = False
        transaction.on_commit(self._committed, using=connection.alias)

    def is_committed(self) -> bool:
        """Whether Django has told of the commit."""
        return self._was_committed and not self.is_open()

    def roll_back(self) -> None:
        """Left to the block."""

    def _committed(self) -> None:
        self._was_committed = True


class _PsycopgMark(Mark):
    """The number of the transaction, whose state PostgreSQL knows afterwards."""

    def __init__(self, connection: Any) -> None:
        super().__init__(connection)
        number = self._ask("SELECT pg_current_xact_id()")
        self._number = int(number or 0)
        # A transaction that has failed already gives no number, and can only be rolled back.
        self._was_committed = None if number else False

    def is_committed(self) -> bool:
        """What the server says; taken for granted once the connection is closed."""
        if self._was_committed is None:
            if self._connection.closed:
                return True
            if self.is_open():
                return False
            state = self._ask(f"SELECT pg_xact_status('{self._number}'::xid8)")
            self._was_committed = state == b"committed"
        return self._was_committed

    def roll_back(self) -> None:
        """End the transaction, where that need not be awaited."""
        if not is_async_connection(self._connection):
            super().roll_back()

    def _ask(self, sql: str) -> Any:
        # Below psycopg's cursors: no transaction begins, and an async connection need not await.
        return self._connection.pgconn.exec_(sql.encode()).get_value(0, 0)


class _SQLAlchemyMark(Mark):
    """On a `Connection`, or on that of a `Session`."""

    def __init__(self, connection: Any) -> None:
        super().__init__(connection)
        self._own = connection.connection() if hasattr(connection, "get_bind") else connection
        self.savepoints = _savepoints_open_on(self._own)
        """The names of those whose rollback undoes this mark."""
        self.was_committed = False
        listener = _listeners.get(self._own)
        if listener is None:
            listener = _listeners[self._own] = _SQLAlchemyListener(self._own)
        listener.marks.append(self)

    def is_committed(self) -> bool:
        """Whether SQLAlchemy has told of a commit, and of no rollback."""
        if self.is_open():
            return False
        listener = _listeners.pop(self._own, None)
        if listener is not None:
            listener.remove_from(self._own)
        return self.was_committed


class _SQLAlchemyListener:
    """Hears how the transaction on one `Connection` ends. Removed when a mark is asked for that.

    SQLAlchemy tells of a commit before it tries it, and not of its failure: an error of the
    `COMMIT` itself must come out of the job.
    """

    def __init__(self, connection: Any) -> None:
        from sqlalchemy import event

        self.marks: list[_SQLAlchemyMark] = []
        self._heard: dict[str, Callable[..., None]] = {
            "begin": self._begun,
            "commit": self._committed,
            "rollback": self._rolled_back,
            "rollback_savepoint": self._rolled_back_to,
        }
        for name, hear in self._heard.items():
            event.listen(connection, name, hear)

    def remove_from(self, connection: Any) -> None:
        """Leave the user's connection as it was."""
        from sqlalchemy import event

        for name, hear in self._heard.items():
            event.remove(connection, name, hear)

    def _begun(self, _connection: Any) -> None:
        self.marks.clear()  # of the transaction before

    def _committed(self, _connection: Any) -> None:
        for mark in self.marks:
            mark.was_committed = True

    def _rolled_back(self, _connection: Any) -> None:
        self.marks.clear()

    def _rolled_back_to(self, _connection: Any, name: str, _context: None) -> None:
        self.marks = [mark for mark in self.marks if name not in mark.savepoints]


def _savepoints_open_on(connection: Any) -> set[str]:
    names = set()
    nested = connection.get_nested_transaction()
    while nested is not None:
        names.add(nested._savepoint)  # noqa: SLF001 - an event tells a savepoint by this name alone
        nested = nested._previous_nested  # noqa: SLF001 - as above
    return names
