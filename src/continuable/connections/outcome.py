"""Whether a transaction of the user's has committed: a mark inside it that shares its fate."""

from __future__ import annotations

import itertools
import sqlite3
from typing import Any

from continuable.connections.connection import is_in_transaction
from continuable.errors import CheckpointError

_numbers = itertools.count(1)


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


class _ToldMark(Mark):
    """A transaction whose library tells of its commit."""

    def __init__(self, connection: Any) -> None:
        super().__init__(connection)
        self._was_committed = False

    def is_committed(self) -> bool:
        """Whether a commit was told, and the transaction is over."""
        return self._was_committed and not self.is_open()

    def _committed(self, *_: Any) -> None:
        self._was_committed = True

    def _rolled_back(self, *_: Any) -> None:
        self._was_committed = False


class _SQLAlchemyMark(_ToldMark):
    """On a `Connection` or a `Session`."""

    def __init__(self, connection: Any) -> None:
        from sqlalchemy import event

        super().__init__(connection)
        after = "after_" if hasattr(connection, "flush") else ""
        event.listen(connection, f"{after}commit", self._committed, once=True)
        event.listen(connection, f"{after}rollback", self._rolled_back, once=True)


class _DjangoMark(_ToldMark):
    """In an atomic block, which also sees to a rollback by itself."""

    def __init__(self, connection: Any) -> None:
        from django.db import transaction

        super().__init__(connection)
        transaction.on_commit(self._committed, using=connection.alias)

    def roll_back(self) -> None:
        """Left to the block."""
