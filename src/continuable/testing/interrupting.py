"""Interruptions on demand: a job on a `TestQueue` is interrupted where a test says."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final, Self

from continuable.core.interrupt import STOPPING
from continuable.declaration.definition import JobDefinition
from continuable.testing.queue import TestQueue

if TYPE_CHECKING:
    from types import TracebackType

    from continuable.testing.views import RunningJob

_ANYWHERE: Final[Any] = object()
MANY = 8


def interrupt_during_step(
    job: JobDefinition[..., Any], step: str, *, cursor: Any = _ANYWHERE, reason: str = STOPPING
) -> Interruption:
    """Interrupt `job` in `step`: once for each job that runs within the `with` block.

    Args:
        job: The job, of an app on a `TestQueue`.
        step: The name of the step.
        cursor: The cursor at whose checkpoint it is interrupted; the step's first if left out.
        reason: As in `Interrupt.reason`.

    Raises:
        AssertionError: No job came to such a checkpoint by the end of the block.
    """
    return _During(job, step, reason, cursor)


def interrupt_after_step(
    job: JobDefinition[..., Any], step: str, *, reason: str = STOPPING
) -> Interruption:
    """Interrupt `job` at the checkpoint that follows `step`, before the next step begins.

    Once for each job that runs within the `with` block. Raises `AssertionError` if no job came
    there by the end of the block: no checkpoint follows the last step of a job.
    """
    return _After(job, step, reason)


class Interruption(ABC):
    """A place where a job is to be interrupted, while the `with` block lasts."""

    def __init__(self, job: JobDefinition[..., Any], step: str, reason: str) -> None:
        self._job = job
        self._step = step
        self._reason = reason
        self._queue = queue_of(job)
        self._struck: set[str] = set()
        self._seen: dict[str, list[Any]] = {}

    def __enter__(self) -> Self:
        self._queue.interruptions.append(self.reason_at)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        __tracebackhide__ = True
        self._queue.interruptions.remove(self.reason_at)
        if error is None and not self._struck:
            raise AssertionError(f"{self._job.name} was never {self}: {self._what_was_seen()}")

    def reason_at(self, job: RunningJob) -> str | None:
        """The reason, if this checkpoint of `job` is the one."""
        if job.name != self._job.name or job.id in self._struck:
            return None
        if job.step is not None:
            self._seen.setdefault(job.step, []).append(job.cursor)
        if not self.is_at(job):
            return None
        self._struck.add(job.id)
        return self._reason

    @abstractmethod
    def is_at(self, job: RunningJob) -> bool:
        """Whether `job` is at the place."""

    def _what_was_seen(self) -> str:
        completed = [
            name
            for job in self._queue.board.list(name=self._job.name, limit=sys.maxsize)
            for name in job.completed
        ]
        for name in completed:
            self._seen.setdefault(name, [])
        if not self._seen:
            return "no step of it was run (is it enqueued, and was run_enqueued() called?)"
        return "it has run " + "; ".join(f"{n!r} {_cursors(c)}" for n, c in self._seen.items())


class _During(Interruption):
    def __init__(self, job: JobDefinition[..., Any], step: str, reason: str, cursor: Any) -> None:
        super().__init__(job, step, reason)
        self._cursor = cursor

    def is_at(self, job: RunningJob) -> bool:
        """Whether it is in the step, and at the cursor if there is to be one."""
        return job.step == self._step and (
            self._cursor is _ANYWHERE or bool(job.cursor == self._cursor)
        )

    def __str__(self) -> str:
        cursor = "" if self._cursor is _ANYWHERE else f" with cursor {self._cursor!r}"
        return f"at a checkpoint in step {self._step!r}{cursor}"


class _After(Interruption):
    def is_at(self, job: RunningJob) -> bool:
        """Whether it is between the step and the next one."""
        return job.step is None and job.completed[-1:] == [self._step]

    def __str__(self) -> str:
        return f"at a checkpoint between step {self._step!r} and a next one"


def queue_of(job: JobDefinition[..., Any]) -> TestQueue:
    """The `TestQueue` that the app of `job` runs on."""
    queue = job.queue
    if not isinstance(queue, TestQueue):
        raise TypeError(
            f"{job.name} runs on {queue!r}, which is no TestQueue: create its app with "
            f"App(queue=TestQueue()), or let the fixture take it: continuable_queue.use(app)"
        )
    return queue


def _cursors(cursors: list[Any]) -> str:
    if not cursors:
        return "without a checkpoint in it"
    shown = [repr(cursor) for cursor in cursors]
    if len(shown) > MANY:
        shown[MANY // 2 : -MANY // 2] = ["..."]
    return f"with checkpoints at {', '.join(shown)}"
