"""A fork finds every file closed, and each side opens its own afterwards.

SQLite keeps in its memory which locks its process holds on a file. A child that inherits an open
one takes its parent's locks for its own: it waits forever for what a thread of the parent was
writing, and its parent, which sees no lock of the child's, removes the log that it writes to.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Protocol
from weakref import WeakSet

from continuable.errors import StoreError

LONGEST_WAIT = 10.0
"""Seconds that a fork waits for the transactions of other threads: longer than each for a lock."""


class OpenFile(Protocol):
    """A connection to a file, as a fork sees it."""

    path: Path
    pid: int
    """The process that opened it."""

    def close_when_free(self, timeout: float) -> bool:
        """Close it once no transaction is open; False: one still was after `timeout` seconds."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


opening = threading.RLock()
"""To be held while a connection is opened: none may be while the process is forked."""
closing = threading.RLock()
"""The same while one is closed. Whoever holds it takes no other lock."""
alive: WeakSet[OpenFile] = WeakSet()
"""The open connections of this process."""
inherited: list[OpenFile] = []
"""What was in use at the fork. The child must never close it: that would take the parent's locks
on the file away."""


def refuse_inherited(path: Path) -> None:
    """`StoreError` where this process has inherited an open connection to the file at `path`."""
    if any(connection.path == path for connection in inherited):
        raise StoreError(
            f"The job database {path} was in use when this process was forked, which SQLite does "
            f"not support: fork outside of transactions, or start a new process instead"
        )


def close_all() -> None:
    """Close every connection, once its transaction is over."""
    opening.acquire()
    until = time.monotonic() + LONGEST_WAIT
    inherited.extend(
        connection
        for connection in list(alive)
        if connection.pid == os.getpid()
        and not connection.close_when_free(max(0.0, until - time.monotonic()))
    )
    closing.acquire()


def go_on_in_parent() -> None:
    """Open files when they are needed."""
    inherited[:] = [connection for connection in inherited if connection.pid != os.getpid()]
    go_on()


def go_on() -> None:
    """Let files be opened and closed again."""
    closing.release()
    opening.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=close_all, after_in_parent=go_on_in_parent, after_in_child=go_on)
