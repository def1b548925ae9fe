"""Where a job can be struck, and what can strike it there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

INTERRUPT: Final = "interrupt"  # politely, as when a worker stops
KILL: Final = "kill"  # the process dies: what it had not saved is lost
ERROR: Final = "error"  # an exception is raised there, and the job retried
DUPLICATE: Final = "duplicate"  # the payload was delivered twice: the other execution takes over

Fault = Literal["interrupt", "kill", "error", "duplicate"]
FAULTS: tuple[Fault, ...] = (INTERRUPT, KILL, ERROR, DUPLICATE)

Kind = Literal["checkpoint", "commit", "border", "end"]

AT_KIND: dict[Kind, tuple[Fault, ...]] = {
    "checkpoint": FAULTS,
    "commit": (KILL,),  # inside the user's transaction, which dies with its process
    "border": (KILL,),  # a step has ended, and its end is being saved
    "end": (KILL, DUPLICATE),  # the job has returned, and nobody knows yet
}

LOST = {
    "newest": "with all progress saved",
    "previous": "right before that was saved",
    "oldest": "with nothing saved since the last step or commit",
}


@dataclass(frozen=True, slots=True)
class Durable:
    """What of a killed execution's progress was durable: one of these, whatever the queue is."""

    oldest: str
    """Only what had to be: the last step's end, or the last commit."""
    previous: str | None = None
    """All but what this very checkpoint would have stored: it strikes right before."""
    newest: str | None = None
    """All of it."""

    def variants(self) -> list[str]:
        """The names of those that differ, the newest first."""
        names: dict[str, str] = {}
        for name in ("newest", "previous", "oldest"):
            document = getattr(self, name)
            if document is not None:
                names.setdefault(document, name)
        return list(names.values())

    def document(self, variant: str) -> str:
        """The progress of that name; the oldest, where the job was not at the point it should."""
        document: str | None = getattr(self, variant)
        return self.oldest if document is None else document


@dataclass(frozen=True, slots=True)
class Point:
    """A point of the undisturbed run."""

    ordinal: int
    kind: Kind
    step: str | None
    """The step that is running; `None` between two."""
    cursor: Any
    after: str | None
    """The last step that was completed."""
    durable: Durable
    before: str | None = None
    """The step that comes next, if this is between two."""

    @property
    def is_border(self) -> bool:
        """Whether it lies between two steps, or at an end of the job."""
        return self.step is None

    @property
    def is_between(self) -> bool:
        """Whether it lies between two steps, or behind the last one, and the job goes on."""
        return self.step is None and self.kind != "end"

    @property
    def place(self) -> str:
        """Where it is, in words."""
        if self.step is not None:
            inside = "inside the transaction of a commit " if self.kind == "commit" else ""
            cursor = "" if self.cursor is None else f", cursor {self.cursor!r}"
            return f"{inside}at {self.step!r}{cursor}"
        if self.kind == "border":
            return f"at the end of {self.after!r}"
        following = f"before {self.before!r}" if self.before else "before the job has ended"
        return f"after {self.after!r}, {following}" if self.after else following


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault at one point; of a kill, with what was durable then."""

    point: Point
    fault: Fault
    durable: str = "newest"

    @property
    def is_gentle(self) -> bool:
        """Whether all progress was kept, so that nothing is done again that has been counted."""
        return self.durable == "newest" and self.fault != DUPLICATE

    @property
    def progress(self) -> str | None:
        """The progress that the job is resumed with; `None`: whatever was delivered twice."""
        return None if self.fault == DUPLICATE else self.point.durable.document(self.durable)

    def __str__(self) -> str:
        lost = f", {LOST[self.durable]}" if self.fault == KILL else ""
        return f"{self.fault} {self.point.place}{lost}"


def with_neighbours(points: Sequence[Point]) -> list[Point]:
    """`points` with the step that follows each of those between two steps."""
    named: list[Point] = []
    following: str | None = None
    for point in reversed(points):
        if point.step is not None:
            following = point.step
        elif point.kind == "border":
            following = point.after
        elif point.kind == "checkpoint":
            point = replace(point, before=following)  # noqa: PLW2901
        named.append(point)
    return named[::-1]


def strikes_at(point: Point, faults: Sequence[str]) -> Iterator[Strike]:
    """Every way in which one of `faults` can strike at `point`."""
    for fault in AT_KIND[point.kind]:
        if fault == KILL and fault in faults:
            yield from (Strike(point, fault, durable) for durable in point.durable.variants())
        elif fault in faults:
            yield Strike(point, fault)
