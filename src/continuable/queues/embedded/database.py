"""The database file of a queue: its tables, and whether it can be written."""

from __future__ import annotations

import sqlite3

from continuable.queues.embedded.schema import ensure_schema
from continuable.queues.embedded.statements import statement
from continuable.sqlite.database import Database

LEAVE_TRACE = statement("leave_trace")
REMOVE_TRACE = statement("remove_trace")


class JobDatabase(Database):
    """The file that a queue's jobs are in."""

    def make_tables(self, connection: sqlite3.Connection) -> None:
        """Make the tables, or see that they are of this release."""
        ensure_schema(connection, self.path)

    def try_writing(self) -> None:
        """Write nothing, down to the disk: `StoreError` if jobs could not be written."""
        with self.transaction(is_durable=True) as connection:
            connection.execute(LEAVE_TRACE)
            connection.execute(REMOVE_TRACE)
