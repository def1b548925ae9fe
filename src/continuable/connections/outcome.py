"""Transaction outcomes: did a transaction on a user's connection commit, or roll back?"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from continuable.connections.connection import (
    Awaited,
    is_async_connection,
    is_in_testcase,
    is_in_transaction,
    is_of_psycopg,
)
from continuable.errors import CheckpointError

_numbers = itertools.count(1)
_listeners: WeakKeyDictionary[Any, _SQLAlchemyListener] = WeakKeyDictionary()


def mark_in(connection: Any) -> Mark:
    """Observe the transaction that is open on `connection`; `CheckpointError` if none is open."""
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
    """The outcome of one transaction. This base is for connections that do not tell it.

    A transaction that has ended counts as committed there.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def is_open(self) -> bool:
        """Is a transaction open on the connection?"""
        return is_in_transaction(self._connection)

    def is_committed(self) -> bool:
        """Has the transaction committed?"""
        return not self.is_open()

    def roll_back(self) -> None:
        """Roll the transaction back, as the death of its process would."""
        if self.is_open() and hasattr(self._connection, "rollback"):
            self._connection.rollback()


class _SQLiteMark(Mark):
    """SQLite: a row in a temporary table is committed or rolled back with the transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._number = next(_numbers)
        cursor = sqlite3.Cursor(connection)  # not `.cursor()`: no row factory of the user's
        cursor.execute("CREATE TEMP TABLE IF NOT EXISTS continuable_marks (mark PRIMARY KEY)")
        cursor.execute("INSERT INTO temp.continuable_marks VALUES (?)", (self._number,))

    def is_committed(self) -> bool:
        """Is the row in the table? True once the connection is closed."""
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
    """Django: a transaction of an atomic block, by its `on_commit`."""

    def __init__(self, connection: Any) -> None:
        from django.db import transaction

        super().__init__(connection)
        self._was_committed = False
        transaction.on_commit(self._committed, using=connection.alias)

    def is_committed(self) -> bool:
        """Has Django called `on_commit`? In a `TestCase`: would it, if that were to commit?"""
        if self.is_open():
            return False
        if is_in_testcase(self._connection):
            return any(call == self._committed for _, call, *_ in self._connection.run_on_commit)
        return self._was_committed

    def roll_back(self) -> None:
        """Nothing: the atomic block rolls back by itself."""

    def _committed(self) -> None:
        self._was_committed = True


class _PsycopgMark(Mark):
    """psycopg: PostgreSQL tells the status of a transaction id afterwards."""

    def __init__(self, connection: Any) -> None:
        super().__init__(connection)
        number = self._ask("SELECT pg_current_xact_id()")
        self._number = int(number or 0)
        # A transaction that has failed already gives no number, and can only be rolled back.
        self._was_committed = None if number else False

    def is_committed(self) -> bool:
        """Does PostgreSQL say `committed`? True once the connection is closed."""
        if self._was_committed is None:
            if self._connection.closed:
                return True
            if self.is_open():
                return False
            state = self._ask(f"SELECT pg_xact_status('{self._number}'::xid8)")
            self._was_committed = state == b"committed"
        return self._was_committed

    def roll_back(self) -> None:
        """Roll back, unless the connection is async: this call cannot await."""
        if not is_async_connection(self._connection):
            super().roll_back()

    def _ask(self, sql: str) -> Any:
        # By libpq: psycopg's cursors would begin a transaction, or have to be awaited.
        return self._connection.pgconn.exec_(sql.encode()).get_value(0, 0)


class _SQLAlchemyMark(Mark):
    """SQLAlchemy: a transaction of a `Connection`, or of the one behind a `Session`."""

    def __init__(self, connection: Any) -> None:
        super().__init__(connection)
        self._own = connection.connection() if hasattr(connection, "get_bind") else connection
        self.savepoints = _savepoints_open_on(self._own)
        """The names of the savepoints whose rollback takes the progress update with it."""
        self.was_committed = False
        listener = _listeners.get(self._own)
        if listener is None:
            listener = _listeners[self._own] = _SQLAlchemyListener(self._own)
        listener.marks.append(self)

    def is_committed(self) -> bool:
        """Did SQLAlchemy send the event `commit`, and no rollback?"""
        if self.is_open():
            return False
        listener = _listeners.pop(self._own, None)
        if listener is not None:
            listener.remove_from(self._own)
        return self.was_committed


class _SQLAlchemyListener:
    """The event listeners for transactions on one `Connection`, removed when an outcome is read.

    SQLAlchemy sends `commit` before it tries, and no event if `COMMIT` fails: that error must come
    out of the job.
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
        """Remove the listeners from the user's connection."""
        from sqlalchemy import event

        for name, hear in self._heard.items():
            event.remove(connection, name, hear)

    def _begun(self, _connection: Any) -> None:
        self.marks.clear()  # those of the transaction before

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
