"""Which workers are alive: the kernel knows, whatever the clock says.

Every worker process holds a lock on a file of its own for as long as it lives. The kernel frees
the lock at its death, however it died, and keeps it while the process is merely stopped.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from continuable.errors import StoreError

# A process that closes any descriptor of a file loses its lock on it: files in here are never
# opened a second time.
held: set[Path] = set()

SUFFIX = ".lock"
PERMISSIONS = 0o660


@cache
def workers_folder(database: Path) -> Path:
    """The folder in which the workers of a database keep their locks and doorbells."""
    return database.with_name(f"{database.name}-workers")


class WorkerLock:
    """What shows that a worker is alive. To be acquired before its first claim.

    Args:
        database: The database file.
        worker: The id of the worker.
    """

    def __init__(self, database: Path, worker: str) -> None:
        self.path = lock_path(database, worker)
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Be alive, until `release` or death. `StoreError` if the folder cannot be written."""
        held.add(self.path)
        while True:
            try:
                self.path.parent.mkdir(exist_ok=True)
                descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PERMISSIONS)
            except OSError as error:
                held.discard(self.path)
                raise StoreError(
                    f"No worker can start on this database: {self.path.parent} cannot be "
                    f"written ({error.strerror}), and workers keep their locks there"
                ) from error
            lock(descriptor)
            # Before it was locked, somebody may have taken it for a dead worker's and removed it.
            if self._is_at_its_place(descriptor):
                self._descriptor = descriptor
                return
            os.close(descriptor)

    def keep(self) -> None:
        """Take it again if it was lost; to be called now and then.

        It is lost when the file is removed, by whoever tidies up, and when this process closes any
        descriptor of it, as a job does that copies the folder.
        """
        if self._descriptor is not None and not self._is_at_its_place(self._descriptor):
            os.close(self._descriptor)
            self._descriptor = None
        if self._descriptor is None:
            self.acquire()
        else:
            try_lock(self._descriptor)  # nothing, where it is held

    def release(self) -> None:
        """Be gone, leaving nothing behind."""
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        with contextlib.suppress(OSError):
            self.path.unlink()
        os.close(descriptor)
        held.discard(self.path)

    def _is_at_its_place(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self.path.stat())
        except FileNotFoundError:
            return False


def dead_workers(database: Path, among: Iterable[str]) -> set[str]:
    """Those of the workers `among` whose processes are gone."""
    return {worker for worker in among if is_dead(lock_path(database, worker))}


def bury(database: Path, workers: Iterable[str]) -> None:
    """Remove the files of dead workers, once their jobs are recovered."""
    for worker in workers:
        for path in (lock_path(database, worker), lock_path(database, worker).with_suffix(".fifo")):
            with contextlib.suppress(OSError):
                path.unlink()


def known_workers(database: Path) -> set[str]:
    """All workers that have a lock file, dead or alive."""
    try:
        return {path.stem for path in workers_folder(database).iterdir() if path.suffix == SUFFIX}
    except FileNotFoundError:
        return set()


def lock_path(database: Path, worker: str) -> Path:
    """The file that a worker holds its lock on."""
    return workers_folder(database) / f"{worker}{SUFFIX}"


def is_dead(path: Path) -> bool:
    """Whether no process holds the lock on `path`."""
    if path in held:
        return False
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    except PermissionError:
        return False  # another user's: not ours to decide
    try:
        return try_lock(descriptor)
    finally:
        os.close(descriptor)


if sys.platform == "win32":
    import msvcrt

    def lock(descriptor: int) -> None:
        """Take the lock, waiting for whoever is just trying it."""
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

    def lock(descriptor: int) -> None:
        """Take the lock, waiting for whoever is just trying it."""
        fcntl.lockf(descriptor, fcntl.LOCK_EX)

    def try_lock(descriptor: int) -> bool:
        """Whether this process could take the lock."""
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    # A forked child holds none of its parent's locks.
    os.register_at_fork(after_in_child=held.clear)
