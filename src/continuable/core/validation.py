"""The rules that the steps of a job keep, so that its progress means the same on every run."""

from __future__ import annotations

from collections.abc import Sequence

from continuable.errors import InvalidStepError


def validate_not_nested(name: str, running: str | None) -> None:
    """A step is not begun inside another one."""
    if running is not None:
        raise InvalidStepError(f"Step {name!r} is nested inside step {running!r}")


def validate_not_encountered(name: str, current: str | None, *, is_seen: bool) -> None:
    """A name stands for one step."""
    if is_seen or name == current:
        message = (
            f"Step {name!r} has already been encountered "
            f"(steps that share a function or come in a loop need a name= each)"
        )
        raise InvalidStepError(message)


def validate_expected_order(name: str, expected: str | None) -> None:
    """Completed steps come again in the order in which they were completed."""
    if expected is not None:
        raise InvalidStepError(f"Step {name!r} found, expected to see {expected!r}")


def validate_resume_expected(name: str, left: str | None) -> None:
    """The step that was left in its middle comes before any new one."""
    if left is not None and left != name:
        raise InvalidStepError(f"Step {name!r} found, expected to resume from {left!r}")


def validate_nothing_missing(missing: Sequence[str]) -> None:
    """A job does not end without the steps that it had completed or begun."""
    if missing:
        names = ", ".join(map(repr, missing))
        message = (
            f"The job returned without reaching {'steps' if len(missing) > 1 else 'step'} {names} "
            f"of its progress. Renamed: give the new step formerly={missing[-1]!r}. Removed: list "
            f"it in removed_steps= of the job. Not wanted any more: job.cancel(reason)"
        )
        raise InvalidStepError(message)
