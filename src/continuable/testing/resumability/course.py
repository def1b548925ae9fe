"""The course of a job's executions: it counts their points, and strikes at one of them."""

# ruff: noqa: SLF001 - executions are looked at from inside
from __future__ import annotations

import asyncio
import copy
from typing import TYPE_CHECKING, Any, NoReturn

from continuable.connections.outcome import Mark
from continuable.core.interrupt import STOPPING
from continuable.testing.resumability.points import (
    DUPLICATE,
    ERROR,
    INTERRUPT,
    KILL,
    Durable,
    Fault,
    Kind,
    Point,
    Strike,
)

if TYPE_CHECKING:
    from continuable.core.execution import Execution


RECORDING = 2
"""Steps to go while points are recorded: each is the next one."""


class Killed(BaseException):
    """The process is dead as of here. No job can do anything about that."""


class InjectedError(Exception):
    """What the `error` fault raises at a checkpoint."""


class Course:
    """Counts points across the executions of one job: to record them, or to strike at one."""

    def __init__(self, durable: str, strike: Strike | None = None) -> None:
        self.points: list[Point] = []
        self.strike = strike
        self.has_struck = False
        self.is_dead = False
        self.has_swallowed = False
        """Whether the job caught its death, and came to another checkpoint."""
        self.has_committed = False
        """Whether the job commits its progress, so that there is a store to commit to."""
        self.durable = Durable(durable)
        """What was durable when it was struck."""
        self.execution: Execution
        self._left = RECORDING if strike is None else strike.point.ordinal + 1
        self._oldest = durable
        self._previous: str | None = None
        self._mark: Mark | None = None
        self._marked = ""
        self._victim: asyncio.Task[Any] | None = None

    def pass_checkpoint(self) -> str | None:
        """A checkpoint; the answer is the reason to interrupt for."""
        if self.is_dead:
            self.has_swallowed |= _task() is self._victim
            self._kill()
        self._left -= 1
        if self._left > 1:  # the path of nearly all checkpoints of nearly all executions
            return None
        fault = self._arrive("checkpoint", self._document())
        if fault == INTERRUPT:
            return STOPPING
        if fault == ERROR:
            raise InjectedError("raised by check_resumable at this checkpoint")
        if fault == DUPLICATE:
            self.execution.attention.is_superseded = True
        if fault == KILL:
            self._die()
        return None

    def pass_border(self, document: str) -> None:
        """The end of a step is saved."""
        self._die_again()
        self._left -= 1
        if self._left <= 1:
            self._settle_commit()
            if self._arrive("border", document):
                self._die()
        self.require(document)

    def pass_commit(self, document: str, mark: Mark) -> None:
        """A cursor is written within the user's transaction."""
        self._die_again()
        if self._mark is not None:  # as a step takes it: sure once the next one comes
            self.require(self._marked)
        self._mark, self._marked = mark, document
        self.has_committed = True
        self._left -= 1
        if self._left <= 1 and self._arrive("commit", None):
            self._die()

    def pass_end(self) -> None:
        """The job has come to its end, and nobody knows yet."""
        self._left -= 1
        if self._left <= 1 and not self.is_dead:
            self._settle_commit()
            fault = self._arrive("end", self._previous or self._oldest)
            # A store that holds commits knows of the end too, and turns a duplicate away.
            self.is_dead = fault == KILL or (fault == DUPLICATE and not self.has_committed)

    def confirm_commit(self) -> None:
        """The transaction of the last commit has been committed."""
        if self._mark is not None:
            self.require(self._marked)

    def dismiss_commit(self) -> None:
        """The transaction of the last commit has been rolled back."""
        self._mark = None

    def require(self, document: str) -> None:
        """`document` is durable from now on, on every queue."""
        self._oldest, self._previous, self._mark = document, None, None

    def _document(self) -> str:
        """The progress as it would be stored now."""
        self._settle_commit()
        checkpoints = self.execution._checkpoints
        checkpoints.confirm_commit()
        return checkpoints.continuation.to_json()

    def _arrive(self, kind: Kind, document: str | None) -> Fault | None:
        """At the point to strike at, or the one before; at each one while points are recorded."""
        durable = Durable(self._oldest, self._previous, document)
        self._previous = document or self._previous
        if self.strike is None:
            self._left = RECORDING
            self._record(kind, durable)
        elif self._left == 0:
            self.has_struck, self.durable = True, durable
            return self.strike.fault
        return None

    def _record(self, kind: Kind, durable: Durable) -> None:
        continuation = self.execution._checkpoints.continuation
        running = continuation.running
        point = Point(
            ordinal=len(self.points),
            kind=kind,
            step=running.name if running else None,
            cursor=copy.deepcopy(running.cursor) if running else None,
            after=continuation.completed[-1] if continuation.completed else None,
            durable=durable,
        )
        self.points.append(point)

    def _settle_commit(self) -> None:
        if self._mark is not None and self._mark.is_committed():
            self.require(self._marked)

    def _die(self) -> NoReturn:
        self.is_dead, self._victim = True, _task()
        if self._mark is not None:
            self._mark.roll_back()
        self._kill()

    def _kill(self) -> NoReturn:
        running = self.execution._checkpoints.continuation.running
        if running is not None:
            running._settled = None  # its next move comes here again
        raise Killed

    def _die_again(self) -> None:
        """A job that goes on all the same, out of an `except BaseException`, comes no further."""
        if self.is_dead:
            raise Killed


def _task() -> asyncio.Task[Any] | None:
    """The task that the job runs in: `None` in a plain job."""
    try:
        return asyncio.current_task()
    except RuntimeError:  # no event loop is running
        return None
