"""The usual cause of a failure, told by where it shows and which way it goes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from continuable.errors import ContinuationError, InvalidStepError
from continuable.testing.resumability import causes
from continuable.testing.resumability.difference import Difference
from continuable.testing.resumability.points import Point, Strike

IS_THERE = re.compile("exist|already|duplicate|unique|conflict|integrity", re.IGNORECASE)


class EndlessError(Exception):
    """The job is interrupted over and over, and never comes to its end."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A strike after which the job did not come to the same result."""

    strike: Strike
    differences: tuple[Difference, ...] = ()
    error: Exception | None = None
    has_swallowed: bool = False
    """Whether the job caught its own death, and went on."""

    @property
    def point(self) -> Point:
        """Where it was struck."""
        return self.strike.point

    @property
    def marks(self) -> frozenset[str]:
        """What tells it from other failures, item by item."""
        if self.error is not None:
            return frozenset({f"{type(self.error).__name__}: {self.error}"})
        return frozenset().union(*(difference.marks for difference in self.differences))

    @property
    def has_lost(self) -> bool:
        """Whether something is missing or wrong, and not merely too much."""
        if self.error is not None:
            return not IS_THERE.search(f"{type(self.error).__name__} {self.error}")
        return any(difference.direction != "more" for difference in self.differences)


class Diagnosis:
    """All failures of a job, seen together."""

    def __init__(self, failures: Sequence[Failure], *, is_of_value: bool) -> None:
        self._failures = failures
        self._is_of_value = is_of_value
        """Whether it is what the job returns that was compared."""
        self._gentle = [failure for failure in failures if failure.strike.is_gentle]

    def cause(self, failure: Failure) -> str:
        """The usual cause of `failure`, one of `causes`."""
        if failure.has_swallowed:
            return causes.SWALLOWED
        if failure.error is not None and (told := _cause_told_by(failure.error)):
            return told
        root = self._root(failure)
        if root is None:
            return causes.NOT_IDEMPOTENT
        return self._cause_of_loss(root) if root.has_lost else self._cause_of_repetition(root)

    def _root(self, failure: Failure) -> Failure | None:
        """The failure that explains it though all progress was kept; `None` if none does."""
        if failure.strike.is_gentle:
            return failure
        alike = [other for other in self._gentle if failure.marks <= other.marks]
        progress = failure.strike.progress
        same = [other for other in self._gentle if other.strike.progress == progress]
        # What is lost by going on from the same progress is lost here, too.
        same = [other for other in same if other.has_lost or other in alike]
        return next(iter(same or alike), None)

    def _cause_of_loss(self, root: Failure) -> str:
        if any(other.has_lost for other in self._gentle if other.point.kind == "end"):
            # All steps are skipped then, so none can have missed a variable.
            return causes.LOCAL_VARIABLE if self._is_of_value else causes.OUTSIDE
        step = root.point.step
        if step is None or any(other.has_lost for other in self._gentle_next_to(step)):
            return causes.LOCAL_VARIABLE
        if root.error is not None or self._loses_what_was_counted(step):
            return causes.NOT_WRITTEN
        return causes.CURSOR_FIRST

    def _cause_of_repetition(self, root: Failure) -> str:
        between = [other for other in self._gentle if other.point.is_between and not other.has_lost]
        is_between = root.marks <= frozenset().union(*(other.marks for other in between))
        if is_between:
            return causes.OUTSIDE
        return causes.AT_THE_END if root.point.kind == "end" else causes.NOT_COUNTED

    def _gentle_next_to(self, step: str) -> Iterator[Failure]:
        for failure in self._gentle:
            if failure.point.step is None and step in {failure.point.after, failure.point.before}:
                yield failure

    def _loses_what_was_counted(self, step: str) -> bool:
        """Whether even the items before the last one are lost."""
        return any(
            other.has_lost
            for other in self._failures
            if other.point.step == step and other.strike.durable == "previous"
        )


def _cause_told_by(error: Exception) -> str | None:
    match error:
        case InvalidStepError():
            return causes.ORDER
        case EndlessError():
            return causes.ENDLESS
        case ContinuationError():
            return causes.NAMED_BY_ERROR
    return None
