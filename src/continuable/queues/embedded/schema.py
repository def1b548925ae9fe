"""The tables: made where there are none, refused where they are of another release."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from continuable.errors import StoreError
from continuable.queues.embedded.statements import statement
from continuable.sqlite.connection import run_in_transaction

# Kept in a table, since `user_version` and `application_id` belong to the user, whose own tables
# may be in the same file. `schema.sql` writes the same number.
VERSION = 3


def ensure_schema(connection: sqlite3.Connection, path: Path) -> None:
    """Make the tables where they are missing; `StoreError` where they are not for this release."""
    version = version_of(connection)
    if version is None:
        # Another process may be doing the same.
        run_in_transaction(connection, statement("schema"))
        version = version_of(connection)
    if version is None or version < VERSION:
        raise StoreError(
            f"The job database {path} has tables named continuable_*, but not those of this "
            f"release (schema {version}, expected {VERSION}): use another file"
        )
    if version > VERSION:
        raise StoreError(
            f"The job database {path} was made by a newer release of continuable (schema "
            f"{version}, this release knows {VERSION}): upgrade continuable here"
        )


def version_of(connection: sqlite3.Connection) -> int | None:
    """The version of the tables; `None` where there are none."""
    if not connection.execute(statement("has_schema")).fetchone()[0]:
        return None
    row = connection.execute(statement("schema_version")).fetchone()
    return None if row is None else int(row[0])
