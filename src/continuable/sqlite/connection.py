"""One connection, and the settings it remembers so that they cost nothing when unchanged."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from functools import partial
from itertools import count
from pathlib import Path

from continuable.sqlite import forks

LOCK_WAIT = 5.0
"""Seconds to wait for another connection's write lock."""

# Half of SQLite's own: a job is a small row, and its few bytes are written as whole pages.
PAGE_SIZE = 2048
# Enough for the upper levels of the indexes of a million jobs.
CACHE_KIB = 16_000
WAL_PATIENCE = 0.01

# Text that is not UTF-8 comes out damaged, in place of an error that would stop every claim.
decoded = partial(str, encoding="utf-8", errors="backslashreplace")

numbers = count()


class Connection:
    """A connection that belongs to one thread of one process, made with `forks.opening` held."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.pid = os.getpid()
        self.number = next(numbers)
        self.is_closed = False
        self._in_use = threading.RLock()
        self._uses = 0
        # The thread check is off so that others may close it: `Database.close`, and a fork.
        self.plain = sqlite3.connect(
            path, timeout=LOCK_WAIT, isolation_level=None, check_same_thread=False
        )
        self.plain.text_factory = decoded
        self._timeout = LOCK_WAIT
        self._flushes: bool | None = None
        forks.alive.add(self)

    def prepare(self) -> None:
        """Make the settings that hold for as long as it is open."""
        self.plain.execute(f"PRAGMA page_size = {PAGE_SIZE}")  # of a file that is new
        self._use_wal()
        self.plain.execute("PRAGMA foreign_keys = ON")
        self.plain.execute(f"PRAGMA cache_size = -{CACHE_KIB}")

    def flush(self, *, is_wanted: bool) -> None:
        """Whether each transaction is to be flushed to the disk."""
        if is_wanted is not self._flushes:
            self.plain.execute(f"PRAGMA synchronous = {'FULL' if is_wanted else 'NORMAL'}")
            self._flushes = is_wanted

    def wait_for_lock(self, timeout: float) -> None:
        """How many seconds to wait for another connection's write lock."""
        if timeout != self._timeout:
            self.plain.execute(f"PRAGMA busy_timeout = {int(timeout * 1000)}")
            self._timeout = timeout

    def take(self) -> None:
        """Keep it from being closed for a fork, until `let_go`. It may be closed by now."""
        self._in_use.acquire()
        self._uses += 1

    def let_go(self) -> None:
        """The counterpart of `take`."""
        self._uses -= 1
        self._in_use.release()

    def close_when_free(self, timeout: float) -> bool:
        """Close it once nobody uses it; whether it is closed within `timeout` seconds."""
        if not self._in_use.acquire(timeout=timeout):
            return False
        try:
            if self._uses == 0:  # else this very thread is in the middle of a transaction
                self.close()
        finally:
            self._in_use.release()
        return self.is_closed

    def close(self) -> None:
        """Close it; a second time does nothing."""
        with forks.closing:
            if not self.is_closed:
                self.is_closed = True
                self.plain.close()

    def __del__(self) -> None:
        with contextlib.suppress(sqlite3.Error, AttributeError):
            if self.pid == os.getpid():
                self.close()

    def _use_wal(self) -> None:
        """Switch to WAL; SQLite does not wait by itself where several switch a new file."""
        until = time.monotonic() + LOCK_WAIT
        while self.plain.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            try:
                self.plain.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                is_busy = error.sqlite_errorcode == sqlite3.SQLITE_BUSY
                if not is_busy or time.monotonic() > until:
                    raise
                time.sleep(WAL_PATIENCE)


def run_in_transaction(connection: sqlite3.Connection, script: str) -> None:
    """Run several statements: all of them, or none."""
    try:
        connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nCOMMIT;")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
