"""An idle worker sleeps until somebody on this machine enqueues a job.

The order makes it safe: the worker listens, looks for work once more, and only then sleeps. A job
that is committed after that look is notified to a worker that listens.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import stat
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from continuable.queues.embedded.liveness import workers_folder
from continuable.sqlite.database import Database
from continuable.sqlite.private import FILE, make_folder, narrow, open_private

SUFFIX = ".fifo"
READ_AT_ONCE = 65536
POLLING_INTERVAL = 0.1


class Listener(Protocol):
    """What wakes an idle worker process; only one of its threads may use it."""

    def listen(self) -> None:
        """From now on `notify` is heard: look for work once more before `wait`."""

    def wait(self, timeout: float, also: Sequence[int] = ()) -> bool:
        """Sleep for at most `timeout` seconds, or until a descriptor in `also` can be read.

        Returns:
            Whether there was a notification.
        """

    def unlisten(self) -> None:
        """Listen no more: the worker is busy, or ends. A second time does nothing."""


def listener_of(database: Database, worker: str) -> Listener:
    """The best that this system has."""
    return Fifo(database.path, worker) if hasattr(os, "mkfifo") else Polling(database)


def notify(database: Path) -> None:
    """Wake every idle worker of a database; to be called after the commit."""
    folder = workers_folder(database)
    if folder.is_symlink():
        return
    try:
        with os.scandir(folder) as entries:
            idle = [entry.path for entry in entries if entry.name.endswith(SUFFIX)]
    except OSError:
        return  # there was no worker yet, or this user may not write: workers look by themselves
    for path in idle:
        notify_one(path)


def notify_one(path: str) -> None:
    """Write a byte into a FIFO, or remove it if nobody has it open."""
    try:
        descriptor = open_private(path, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ENXIO:  # its worker died in its sleep, or just got up
            with contextlib.suppress(OSError):
                os.unlink(path)  # noqa: PTH108
        return
    try:
        if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            with contextlib.suppress(OSError):  # full: it was notified often enough
                os.write(descriptor, b"!")
    finally:
        os.close(descriptor)


class Fifo:
    """A named pipe: it costs an enqueuer microseconds and an idle worker nothing.

    Args:
        database: The database file.
        worker: The id of the worker.
    """

    def __init__(self, database: Path, worker: str) -> None:
        self.path = workers_folder(database) / f"{worker}{SUFFIX}"
        self._descriptor: int | None = None

    def listen(self) -> None:
        """Make the FIFO. It gets its name once it is open, for an unread one is taken for dead."""
        if self._descriptor is not None:
            if self.path.exists():
                return
            self.unlisten()  # somebody has tidied up
        make_folder(self.path.parent)
        unnamed = self.path.with_suffix(".new")
        with contextlib.suppress(FileNotFoundError):
            unnamed.unlink()
        os.mkfifo(unnamed, FILE)
        narrow(unnamed, FILE)
        self._descriptor = open_private(unnamed, os.O_RDWR | os.O_NONBLOCK)
        unnamed.rename(self.path)

    def wait(self, timeout: float, also: Sequence[int] = ()) -> bool:
        """Sleep in the kernel."""
        if self._descriptor is None:
            raise RuntimeError("Not listening yet: listen, look for work once more, then wait")
        poll = select.poll()
        for descriptor in (self._descriptor, *also):
            poll.register(descriptor, select.POLLIN)
        woken = {descriptor for descriptor, _ in poll.poll(max(0.0, timeout) * 1000)}
        if self._descriptor not in woken:
            return False
        with contextlib.suppress(BlockingIOError):
            os.read(self._descriptor, READ_AT_ONCE)
        return True

    def unlisten(self) -> None:
        """Remove the FIFO."""
        if self._descriptor is None:
            return
        with contextlib.suppress(OSError):
            self.path.unlink()
        os.close(self._descriptor)
        self._descriptor = None


class Polling:
    """Where there are no FIFOs: look ten times a second whether anything was written."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._version: object = None

    def listen(self) -> None:
        """Remember what the database was like before the last look."""
        self._version = self._database.data_version()

    def wait(self, timeout: float, also: Sequence[int] = ()) -> bool:
        """Look again and again; `also` is not heard."""
        del also
        until = time.monotonic() + timeout
        while (left := until - time.monotonic()) > 0:
            if self._database.data_version() != self._version:
                self.listen()
                return True
            time.sleep(min(left, POLLING_INTERVAL))
        return False

    def unlisten(self) -> None:
        """There is nothing to remove."""
