"""What a worker has done and not told the table yet: it outlives the worker.

Short jobs are claimed and settled several in one transaction. In between, this file says which of
them have started and how they ended, and whoever takes the jobs of a dead worker away reads it
first: what was done is not done again. Like the table it survives the death of any process. After
a power cut it may tell of claims that the table has lost, and those mean nothing.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from continuable.core.outcome import Completed
from continuable.queues.embedded.claiming import Claimed
from continuable.queues.embedded.liveness import workers_folder

SUFFIX = ".ledger"
PERMISSIONS = 0o660

# The kinds of lines. None of what they hold contains a tab or a line feed: JSON escapes both.
AHEAD, STARTED, DONE = "ahead", "started", "done"


class Ledger:
    """What one thread of a worker writes: a file for the jobs it has now, one for the next ones.

    So whatever moment its worker dies at, either the table or one of them knows of each job.
    What the other one says is over, and means nothing. Made when they are first needed.

    Args:
        database: The database file.
        worker: The id of the worker.
        number: The number of the thread.
    """

    def __init__(self, database: Path, worker: str, number: int) -> None:
        place = workers_folder(database) / f"{worker}.{number}"
        self._current = Page(place.with_name(f"{place.name}a{SUFFIX}"))
        self._next = Page(place.with_name(f"{place.name}b{SUFFIX}"))

    def prepare(self, ahead: Sequence[Claimed]) -> None:
        """`ahead` is about to be claimed, and not to be started yet."""
        self._next.clear()
        if ahead:
            self._next.write(
                "".join(f"{AHEAD}\t{claimed.seq}\t{claimed.fence}\n" for claimed in ahead)
            )

    def turn_page(self) -> None:
        """What was prepared is claimed now, and all that was written before is in the table."""
        self._current, self._next = self._next, self._current

    def start(self, claimed: Claimed) -> None:
        """One of those claimed ahead starts, and the table knows of the one before."""
        self._current.write(f"{STARTED}\t{claimed.seq}\t{claimed.fence}\n")

    def turn(
        self, ended: Claimed, outcome: Completed, longest_gap: float, now: float, following: Claimed
    ) -> bool:
        """`ended` is completed and `following` starts; whether that is written."""
        return self._current.write(
            f"{DONE}\t{ended.seq}\t{ended.fence}\t{now!r}\t{longest_gap!r}\t{outcome.result}\t"
            f"{outcome.progress or ''}\n{STARTED}\t{following.seq}\t{following.fence}\n"
        )

    def close(self) -> None:
        """Leave nothing behind: the table knows everything."""
        self._current.remove()
        self._next.remove()


class Page:
    """One of the two files. What cannot be written is told, and raises nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        self._is_empty = True

    def write(self, lines: str) -> bool:
        """Add `lines`; whether they are there."""
        data = lines.encode()
        try:
            if self._descriptor is None:
                flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
                self._descriptor = os.open(self._path, flags, PERMISSIONS)
            self._is_empty = False
            return os.write(self._descriptor, data) == len(data)
        except OSError:
            return False

    def clear(self) -> None:
        """Forget what is there."""
        if self._descriptor is not None and not self._is_empty:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, 0)
                self._is_empty = True

    def remove(self) -> None:
        """Close and delete it."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                self._path.unlink()
            os.close(self._descriptor)
            self._descriptor = None


Claim = tuple[int, int]
"""The `seq` of a job and the fence of its claim."""


@dataclass(frozen=True, slots=True)
class Done:
    """A job that has returned."""

    at: float
    longest_gap: float
    result: str
    progress: str | None


@dataclass(frozen=True, slots=True)
class LastWords:
    """What the ledgers of a dead worker say."""

    done: dict[Claim, Done] = field(default_factory=dict)
    ahead: set[Claim] = field(default_factory=set)
    """Claimed, and never started."""


def last_words(database: Path, worker: str) -> LastWords:
    """Read the ledgers that a worker has left."""
    words = LastWords()
    for path in ledgers_of(database, worker):
        with contextlib.suppress(OSError):  # somebody else was here before
            for line in path.read_text("ascii", "replace").splitlines():
                with contextlib.suppress(ValueError):  # its writer died in the middle of it
                    note(words, *line.split("\t"))
    return words


def ledgers_of(database: Path, worker: str) -> list[Path]:
    """The files that the threads of a worker have left."""
    return list(workers_folder(database).glob(f"{worker}.*{SUFFIX}"))


def remove_ledgers(database: Path, worker: str) -> None:
    """Remove what a dead worker has left, once its jobs are recovered."""
    for path in ledgers_of(database, worker):
        with contextlib.suppress(OSError):
            path.unlink()


def note(words: LastWords, kind: str, seq: str = "", fence: str = "", *rest: str) -> None:
    """Take in one line; `ValueError` where it is none."""
    claim = int(seq), int(fence)
    match kind, rest:
        case ("ahead", ()):
            words.ahead.add(claim)
        case ("started", ()):
            words.ahead.discard(claim)
        case ("done", (at, longest_gap, result, progress)):
            words.done[claim] = Done(float(at), float(longest_gap), result, progress or None)
