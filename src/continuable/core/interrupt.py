"""An interruption: how a job is asked to stop where it can be resumed. It is not an error."""

from __future__ import annotations

from typing import cast

STOPPING = "stopping"  # the worker is shutting down
ISOLATING = "isolating"  # the next step wants an execution of its own
MAX_RUNTIME = "max_runtime"  # this execution has run for long enough
PAUSED = "paused"  # somebody asked for a pause
CANCELLED = "cancelled"  # somebody, or the job itself, gave it up
ERROR = "error"  # an exception came after progress
DIED = "died"  # its worker has died
LOST = "lost"  # its message is gone from the queue

# What is planned is no mishap: it uses up none of `max_resumptions`.
PLANNED = frozenset({ISOLATING, MAX_RUNTIME, PAUSED})
# Nothing is gained by waiting after these.
WITHOUT_WAIT = frozenset({ISOLATING, MAX_RUNTIME})


class Interrupt(BaseException):
    """Raised at a checkpoint to leave the job; its progress is kept and it resumes later.

    A `BaseException`, so that `except Exception` in a job cannot swallow it.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class Superseded(Interrupt):
    """A newer execution of the same job has taken over: this one must stop and write nothing."""

    def __init__(self, detail: str = "a newer execution of this job has taken over") -> None:
        super().__init__("superseded", detail)


def without_interrupts(error: BaseException) -> BaseException | None:
    """What is left of `error` without interrupts: `None` for an interrupt, or a group of them.

    Out of an `asyncio.TaskGroup` an interrupt arrives in a group, and real errors in it win.
    """
    # Asked of the types: an exception of the user's may have a `__class__` that raises.
    if issubclass(type(error), BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        return BaseExceptionGroup.split(group, Interrupt)[1]
    return None if issubclass(type(error), Interrupt) else error


def interrupt_in(error: BaseException) -> Interrupt:
    """The interrupt that `error` is, or the first one in a group of them."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return cast("Interrupt", error)
