"""What SQLite's errors mean, and what to do about each."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from continuable.errors import StoreBusyError, StoreError

PRIMARY_CODE = 0xFF  # the rest of a code says which of its kinds it is

ADVICE = {
    sqlite3.SQLITE_READONLY: (
        "it cannot be written: give this user write access to the file and its folder "
        "(SQLite keeps -wal and -shm files next to it)"
    ),
    sqlite3.SQLITE_PERM: "this user may not open it: give it read and write access",
    sqlite3.SQLITE_CANTOPEN: (
        "it cannot be opened: its folder must exist, and this user must be able to write there"
    ),
    sqlite3.SQLITE_NOTADB: (
        "it is not an SQLite database: point the queue at another file, or move this one away"
    ),
    sqlite3.SQLITE_CORRUPT: (
        "it is damaged: stop the workers, then restore a backup or run "
        "`sqlite3 FILE .recover` into a new file"
    ),
    sqlite3.SQLITE_FULL: "the disk is full: nothing was written; free some space and try again",
    sqlite3.SQLITE_IOERR: (
        "the disk failed to read or write: check the disk and the system log, and that the file "
        "is on a local file system"
    ),
    sqlite3.SQLITE_TOOBIG: "a job is too large for SQLite: keep large data elsewhere",
    sqlite3.SQLITE_ERROR: "it does not fit this release: was the file changed by something else?",
}


def trouble(error: sqlite3.Error, path: Path) -> StoreError:
    """`error` in words: which file, what is the matter, what to do."""
    code = getattr(error, "sqlite_errorcode", None)
    if code == sqlite3.SQLITE_BUSY_SNAPSHOT:
        return StoreBusyError(
            f"The job database {path} was written to after this transaction began by reading: "
            f"begin it with BEGIN IMMEDIATE ({error})"
        )
    primary = None if code is None else code & PRIMARY_CODE
    if primary in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return StoreBusyError(
            f"The job database {path} is locked by another connection: "
            f"look for a transaction that stays open for long ({error})"
        )
    advice = ADVICE.get(primary, "SQLite refused") if primary is not None else "SQLite refused"
    return StoreError(f"The job database {path} cannot be used: {advice} ({error})")
