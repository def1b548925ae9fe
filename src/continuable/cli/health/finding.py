"""`Finding`: one thing that was looked at, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    """Works now, and will not always."""
    PROBLEM = "problem"
    """Does not work."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found; the sentence says what to do about it, unless it is well."""

    level: Level
    subject: str
    """What was looked at: `app`, `arguments`, `store`, `workers`, `code` or `checkpoints`."""
    sentence: str


def ok(subject: str, sentence: str) -> Finding:
    """All is well."""
    return Finding(Level.OK, subject, sentence)


def warning(subject: str, sentence: str) -> Finding:
    """Something to look into."""
    return Finding(Level.WARNING, subject, sentence)


def problem(subject: str, sentence: str) -> Finding:
    """Something to mend."""
    return Finding(Level.PROBLEM, subject, sentence)
