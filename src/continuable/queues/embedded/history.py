"""What is worth telling of a job's life; a plain start and completion is not."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from continuable.progress.protocol import Note
from continuable.queues.embedded.statements import statement

INTERRUPTED = "job.interrupted"
RETRYING = "job.retrying"
FAILED = "job.failed"
DIED = "job.died"
PAUSED = "job.paused"
CANCELLED = "job.cancelled"

ADD_HISTORY = statement("add_history")
ADD_NOTE = statement("add_note")


def write(
    connection: sqlite3.Connection, seq: int, at: float, event: str, data: dict[str, Any]
) -> None:
    """Add an entry to a job's history, within a transaction."""
    text = json.dumps(data, separators=(",", ":"), default=str)
    connection.execute(ADD_HISTORY, {"seq": seq, "at": at, "event": event, "data": text})


def write_note(connection: sqlite3.Connection, seq: int, note: Note) -> None:
    """Add what the job wants told, if it is still there."""
    row = {"seq": seq, "at": note.at, "event": note.event, "data": note.data}
    connection.execute(ADD_NOTE, row)
