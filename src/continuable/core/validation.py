"""The rules that the steps of a job keep, so that its progress means the same on every run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from continuable.errors import InvalidStepError

if TYPE_CHECKING:
    from continuable.core.continuation import Continuation


def validate_not_nested(continuation: Continuation, name: str) -> None:
    """A step is not begun inside another one."""
    running = continuation.running
    if running is not None:
        raise InvalidStepError(f"Step {name!r} is nested inside step {running.name!r}")


def validate_not_encountered(continuation: Continuation, name: str) -> None:
    """A name stands for one step."""
    current = continuation.current
    if name in continuation.completed[: continuation.seen] or (current and current.name == name):
        message = (
            f"Step {name!r} has already been encountered "
            f"(steps that share a function or come in a loop need a name= each)"
        )
        raise InvalidStepError(message)


def validate_expected_order(continuation: Continuation, name: str) -> None:
    """Completed steps come again in the order in which they were completed."""
    completed, seen = continuation.completed, continuation.seen
    if seen < len(completed):
        raise InvalidStepError(f"Step {name!r} found, expected to see {completed[seen]!r}")


def validate_resume_expected(continuation: Continuation, name: str) -> None:
    """The step that was left in its middle comes before any new one."""
    left = continuation.resume_from
    if left is None and continuation.current is not None:
        left = continuation.current.name
    if left is not None and left != name:
        raise InvalidStepError(f"Step {name!r} found, expected to resume from {left!r}")


def validate_nothing_missing(continuation: Continuation) -> None:
    """A job does not end without the steps that it had completed or begun."""
    missing = continuation.completed[continuation.seen :]
    if continuation.resume_from is not None:
        missing = [*missing, continuation.resume_from]
    if missing:
        names = ", ".join(map(repr, missing))
        message = (
            f"The job returned without reaching {'steps' if len(missing) > 1 else 'step'} {names} "
            f"of its progress. Renamed: give the new step formerly={missing[-1]!r}. Removed: list "
            f"it in removed_steps= of the job. Not wanted any more: job.cancel(reason)"
        )
        raise InvalidStepError(message)
