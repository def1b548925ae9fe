"""Which workers are alive: the kernel knows, and no clock is asked.

Every worker process holds a lock on a file of its own for as long as it lives. The kernel frees
the lock at its death, however it died, and keeps it while the process is merely stopped.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterable
from enum import Enum, auto
from functools import cache
from pathlib import Path
from typing import Any

from continuable.errors import StoreError
from continuable.sqlite.database import identity_of
from continuable.sqlite.private import make_folder, open_private
from continuable.worker.identity import has_died

held: dict[Path, int] = {}
"""The locks of this process, with their descriptors. None of these files is opened a second time:
where locks belong to a process, closing any descriptor of the file would drop the lock."""

SUFFIX = ".lock"
SECOND_LOOK = 0.05
"""Seconds between the two looks that find a lock free."""
MISSING = 3.0
"""Seconds for which a lock file may be missing: its worker makes it anew within one."""


@cache
def workers_folder(database: Path) -> Path:
    """The folder in which the workers of a database keep their locks, and listen."""
    return database.with_name(f"{database.name}-workers")


class WorkerLock:
    """What shows that a worker is alive. To be acquired before its first claim.

    Args:
        database: The database file.
        worker: The id of the worker.
        jobs: The names of the jobs whose code it has; `None`: it does not say.
    """

    def __init__(self, database: Path, worker: str, jobs: Iterable[str] | None = None) -> None:
        self.path = lock_path(database, worker)
        self._database = database
        self._jobs = jobs
        self._identity: str | None = None
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Be alive, until `release` or death. `StoreError` if the folder cannot be written."""
        while True:
            try:
                make_folder(self.path.parent)
                descriptor = open_private(self.path, os.O_RDWR | os.O_CREAT)
            except OSError as error:
                raise StoreError(
                    f"No worker can start on this database: {self.path.parent} cannot be "
                    f"written ({error.strerror}), and workers keep their locks there"
                ) from error
            lock(descriptor)
            # Before it was locked, a sweep may have removed it as that of a dead worker.
            if self._is_at_its_place(descriptor):
                break
            os.close(descriptor)
        self._descriptor = held[self.path] = descriptor
        self._identity = self._identity or identity(self._database)
        self._write()

    def keep(self) -> None:
        """Acquire it again if it was lost; to be called now and then.

        It is lost when the file is removed. Where locks belong to a process, it is also lost when
        this process closes any descriptor of the file, as a job does that copies the folder.
        """
        if self._descriptor is not None and not self._is_at_its_place(self._descriptor):
            self._let_go(self._descriptor)
        if self._descriptor is None:
            self.acquire()
        else:
            try_lock(self._descriptor)  # nothing, where it is held

    def leave_word(self, reason: str) -> None:
        """Say, to the worker that finds the lock free, why this process ends with jobs."""
        with contextlib.suppress(OSError):
            self._write(reason)

    def release(self) -> None:
        """Be gone, leaving nothing behind."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                self.path.unlink()
            self._let_go(self._descriptor)

    def _let_go(self, descriptor: int) -> None:
        self._descriptor = None
        held.pop(self.path, None)
        os.close(descriptor)

    def _write(self, reason: str | None = None) -> None:
        if self._descriptor is not None:
            jobs = None if self._jobs is None else list(self._jobs)
            said = {"left": reason, "database": self._identity, "jobs": jobs}
            text = json.dumps(said).encode()
            os.ftruncate(self._descriptor, os.pwrite(self._descriptor, text, 0))

    def _is_at_its_place(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self.path.stat())
        except FileNotFoundError:
            return False


class Sign(Enum):
    """What a look at the lock of a worker shows."""

    HELD = auto()
    FREE = auto()
    MISSING = auto()


class Watch:
    """Tells which workers have died, over several looks: one look alone may deceive."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._since: dict[str, float] = {}

    def dead(self, among: Iterable[str]) -> set[str]:
        """Those whose lock was found free at the last look, too, or is missing for good."""
        now = time.monotonic()
        signs = {worker: sign_of(lock_path(self._database, worker)) for worker in among}
        suspects = {worker: sign for worker, sign in signs.items() if sign is not Sign.HELD}
        found = {
            worker
            for worker, sign in suspects.items()
            if worker in self._since
            and (sign is Sign.FREE or has_died(worker) or now - self._since[worker] > MISSING)
        }
        self._since = {worker: self._since.get(worker, now) for worker in suspects}
        return found

    @property
    def has_suspects(self) -> bool:
        """Whether the last look found a lock that was not held."""
        return bool(self._since)


def dead_workers(database: Path, among: Iterable[str]) -> set[str]:
    """Those of the workers `among` whose processes are gone, by two looks."""
    watch, workers = Watch(database), set(among)
    watch.dead(workers)
    if not watch.has_suspects:
        return set()
    time.sleep(SECOND_LOOK)
    return watch.dead(workers)


def last_word(database: Path, worker: str) -> str | None:
    """Why a worker has ended with jobs in its hands, if it could say."""
    left: str | None = said_by(database, worker).get("left")
    return left


def remove_files(database: Path, workers: Iterable[str]) -> None:
    """Remove the files of dead workers, once their jobs are recovered."""
    for worker in workers:
        for path in (lock_path(database, worker), lock_path(database, worker).with_suffix(".fifo")):
            with contextlib.suppress(OSError):
                path.unlink()


def known_workers(database: Path) -> set[str]:
    """All workers that have a lock file, dead or alive, of this database or one before it."""
    try:
        return {path.stem for path in workers_folder(database).iterdir() if path.suffix == SUFFIX}
    except FileNotFoundError:
        return set()


def live_workers(database: Path) -> dict[str, list[str] | None]:
    """The workers that are alive and have this very file open, each with the jobs it knows."""
    known, own = known_workers(database), identity(database)
    alive = known - dead_workers(database, known)
    said = {worker: said_by(database, worker) for worker in sorted(alive)}
    return {
        worker: words.get("jobs")
        for worker, words in said.items()
        if words.get("database", own) == own
    }


def identity(database: Path) -> str:
    """Which file is at the path of the database now."""
    return ":".join(map(str, identity_of(database) or ()))


def said_by(database: Path, worker: str) -> dict[str, Any]:
    """What a worker says of itself in its lock file; nothing where that cannot be read."""
    path = lock_path(database, worker)
    try:
        own = held.get(path)
        text = path.read_bytes() if own is None else os.pread(own, os.fstat(own).st_size, 0)
        said = json.loads(text)
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def lock_path(database: Path, worker: str) -> Path:
    """The file that a worker holds its lock on."""
    return workers_folder(database) / f"{worker}{SUFFIX}"


def sign_of(path: Path) -> Sign:
    """Whether a process holds the lock on `path`."""
    if path in held:
        return Sign.HELD
    try:
        descriptor = open_private(path, os.O_RDWR)
    except FileNotFoundError:
        return Sign.MISSING
    except OSError:
        return Sign.HELD  # another user's, or no file of ours: not ours to decide
    try:
        return Sign.FREE if try_lock(descriptor) else Sign.HELD
    finally:
        os.close(descriptor)


if sys.platform == "win32":
    import msvcrt

    def lock(descriptor: int) -> None:
        """Take the lock, waiting for a process that is just trying it."""
        msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)

    def try_lock(descriptor: int) -> bool:
        """Whether this process could take the lock."""
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    if sys.platform == "linux":
        import struct

        # The lock of an open file description: a job that opens and closes the file, as one does
        # that copies the folder, leaves it alone.
        WHOLE_FILE = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)

        def lock(descriptor: int) -> None:
            """Take the lock, waiting for a process that is just trying it."""
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLKW, WHOLE_FILE)

        def try_lock(descriptor: int) -> bool:
            """Whether this process could take the lock."""
            try:
                fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, WHOLE_FILE)
            except OSError:
                return False
            return True

    else:

        def lock(descriptor: int) -> None:
            """Take the lock, waiting for a process that is just trying it."""
            fcntl.lockf(descriptor, fcntl.LOCK_EX)

        def try_lock(descriptor: int) -> bool:
            """Whether this process could take the lock."""
            try:
                fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return False
            return True

    def leave_to_parent() -> None:
        """A forked child lets go of the locks, which its parent keeps."""
        for descriptor in held.values():
            os.close(descriptor)
        held.clear()

    os.register_at_fork(after_in_child=leave_to_parent)
