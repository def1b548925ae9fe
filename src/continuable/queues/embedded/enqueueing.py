"""Jobs come in: one or many in one transaction, or in the user's own."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from continuable.errors import DuplicateJobError
from continuable.model.payload import Enqueued, Enqueueing, JobRecord
from continuable.model.states import State
from continuable.progress.row import DEFAULT_QUEUE
from continuable.queues.embedded.statements import statement
from continuable.serialization import compact
from continuable.sqlite.database import Database
from continuable.sqlite.troubles import trouble

INTERRUPTED, WAITING = State.INTERRUPTED.value, State.WAITING.value

INSERT = statement("insert_job")
INSERT_READY = statement("insert_ready_job")
HOLDER_OF_KEY = statement("holder_of_key")
STATE_OF_JOB = statement("state_of_job")


def enqueue(
    database: Database, items: Sequence[Enqueueing], connection: sqlite3.Connection | None = None
) -> list[Enqueued]:
    """Put all of `items` on the queue, or none.

    Args:
        database: The file of the queue.
        items: The jobs, which start in this order where their priorities are equal.
        connection: An open transaction of the user's own on the same file, which they join:
            they are there once it has committed.

    Raises:
        DuplicateJobError: An id is taken.
        ValueError: The connection is not on this file, or has no open transaction.
    """
    if connection is not None:
        return _enqueue_within(database, items, connection)
    if len(items) == 1 and is_ready(items[0]) and _enqueue_ready(database, items[0].record):
        return [Enqueued(items[0].record.id, is_new=True)]
    with database.transaction(is_durable=True) as own:
        return insert(own.cursor(), items, database.clock())


def _enqueue_ready(database: Database, record: JobRecord) -> bool:
    """Put one job on the queue, in half the time; False: its id is taken."""
    row = {
        "id": record.id,
        "name": record.name,
        "queue": record.queue or DEFAULT_QUEUE,
        "priority": record.priority,
        "enqueued_at": database.clock(),
        "arguments": record.arguments,
    }
    return database.execute_durably(INSERT_READY, row) == 1


def _enqueue_within(
    database: Database, items: Sequence[Enqueueing], connection: sqlite3.Connection
) -> list[Enqueued]:
    database.open()
    if not database.is_same_file(connection):
        raise ValueError(
            f"Cannot enqueue in a transaction on another database: the jobs are in "
            f"{database.path}, so only a connection to that file can take them along"
        )
    if not connection.in_transaction:
        raise ValueError(
            "Cannot enqueue on a connection without an open transaction: begin one with "
            "BEGIN IMMEDIATE, or leave connection= out"
        )
    cursor = connection.cursor()
    cursor.row_factory = None  # rows come as tuples, also where the user has set another
    try:
        return insert(cursor, items, database.clock())
    except sqlite3.Error as error:
        raise trouble(error, database.path) from error


def is_ready(item: Enqueueing) -> bool:
    """Whether it is a new job that may start at once."""
    record = item.record
    return not (item.wait or item.run_at or item.unique or record.executions or record.progress)


def insert(cursor: sqlite3.Cursor, items: Sequence[Enqueueing], now: float) -> list[Enqueued]:
    """Write `items` in their order, within a transaction."""
    enqueued = []
    for item in items:
        row = row_of(item, now)
        cursor.execute(INSERT, row)
        is_new = cursor.rowcount == 1
        enqueued.append(Enqueued(item.record.id, is_new=True) if is_new else taken(cursor, row))
    return enqueued


def taken(cursor: sqlite3.Cursor, row: dict[str, Any]) -> Enqueued:
    """The unfinished job that has the unique key; `DuplicateJobError` where the id is taken."""
    holder = cursor.execute(HOLDER_OF_KEY, row).fetchone()
    if holder is not None:
        return Enqueued(holder[0], is_new=False)
    (state,) = cursor.execute(STATE_OF_JOB, row).fetchone()
    raise DuplicateJobError(row["id"], state)


def row_of(item: Enqueueing, now: float) -> dict[str, Any]:
    """One row of the table, by the names of its columns."""
    record = item.record
    run_at = max(item.run_at or 0.0, now + item.wait)
    is_delayed = run_at > now
    return {
        "id": record.id,
        "name": record.name,
        "queue": record.queue or DEFAULT_QUEUE,
        "priority": record.priority,
        "state": INTERRUPTED if record.progress else WAITING,
        "executions": record.executions,
        "resumptions": record.resumptions,
        "enqueued_at": now,
        "run_at": run_at if is_delayed else None,
        # A moment that was chosen stays what it is when the clock is set; a wait does not.
        "delayed_at": now if is_delayed and item.run_at is None else None,
        "unique_key": item.unique,
        "arguments": record.arguments,
        "progress": compact(record.progress),
    }
