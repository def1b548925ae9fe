"""What `check_resumable` has found: of a job that resumes, and of one that does not."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from continuable.testing.resumability.diagnosis import Diagnosis, Failure
from continuable.testing.resumability.difference import Difference

SHOWN_IN_FULL = 10
DIFFERENCES = 8
WIDTH = 96


@dataclass(frozen=True, slots=True)
class Resumability:
    """What was struck of a job that resumes everywhere; `str` of it is a sentence."""

    job: str
    points: int
    """Points of the undisturbed run at which a job can be struck."""
    struck: int
    """Those at which it was."""
    runs: int
    """Times the job was struck."""
    how: str = ""
    """How the points were chosen, if not all were struck."""

    def __str__(self) -> str:
        return f"{self.job} resumes everywhere: {self.sampling}"

    @property
    def sampling(self) -> str:
        """What was struck, in words."""
        times = "once" if self.runs == 1 else f"{self.runs} times"
        if self.how:
            return f"struck {times}, at {self.struck} of {self.points} points, {self.how}."
        if not self.points:
            return "there is no point at which these faults could strike."
        where = f"at all {self.points} points" if self.points > 1 else "at its one point"
        return f"struck {times}, {where}."


class NotResumableError(AssertionError):
    """A job that comes to another result when it is interrupted. Its text is the report."""

    __module__ = "continuable.testing"

    def __init__(
        self, resumability: Resumability, failures: Sequence[Failure], diagnosis: Diagnosis
    ) -> None:
        super().__init__("\n".join(_report(resumability, failures, diagnosis)))
        self.resumability = resumability
        self.failures = tuple(failures)


class NotRepeatableError(AssertionError):
    """A job that comes to another result even undisturbed, so that nothing can be compared."""

    __module__ = "continuable.testing"

    def __init__(self, what: str, found: Sequence[Difference], advice: str) -> None:
        super().__init__("\n".join([what, *_shown(found, "  "), advice]))


def _report(
    resumability: Resumability, failures: Sequence[Failure], diagnosis: Diagnosis
) -> Iterator[str]:
    strikes = f"{len(failures)} of {resumability.runs} strikes"
    yield f"{resumability.job} does not resume everywhere: {strikes} led to another result."
    of_cause: dict[str, list[Failure]] = {}
    for failure in failures:
        of_cause.setdefault(diagnosis.cause(failure), []).append(failure)
    for cause, alike in of_cause.items():
        yield ""
        yield _wrapped(f"Usual cause: {cause}", "  ")
        yield from _listed(alike)
    yield ""
    yield f"It was {resumability.sampling}"


def _listed(failures: Sequence[Failure]) -> Iterator[str]:
    """Each failure; those together that came to the same result."""
    groups: dict[tuple[str, ...], list[Failure]] = {}
    for failure in failures:
        groups.setdefault(tuple(_what_happened(failure)), []).append(failure)
    for number, (what_happened, alike) in enumerate(groups.items()):
        if number < SHOWN_IN_FULL:
            yield from (_wrapped(str(failure.strike), "  - ") for failure in alike)
            yield from what_happened
        else:
            if number == SHOWN_IN_FULL:
                yield "  and in the same way"
            briefly = "; ".join(line.strip() for line in what_happened)
            yield from (_wrapped(f"{failure.strike}: {briefly}", "  - ") for failure in alike)


def _what_happened(failure: Failure) -> Iterator[str]:
    if failure.error is not None:
        yield _wrapped(f"raised {type(failure.error).__name__}: {failure.error}", "      ")
    yield from _shown(failure.differences, "      ")


def _shown(found: Sequence[Difference], indent: str) -> Iterator[str]:
    yield from (_wrapped(difference.text, indent) for difference in found[:DIFFERENCES])
    if len(found) > DIFFERENCES:
        yield f"{indent}and {len(found) - DIFFERENCES} more differences"


def _wrapped(text: str, indent: str) -> str:
    following = " " * len(indent)
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=following,
        break_long_words=False,
        break_on_hyphens=False,
    )
