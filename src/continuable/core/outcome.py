"""How one execution of a job ended. A queue turns each into its own words.

Not frozen: one is made for every job, and freezing would double what that costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

LONGEST_ERROR = 64 * 1024
"""Bytes of an error's summary, and of its traceback: every store and server takes as many."""


def storable(text: str) -> str:
    """`text` as every store takes it: what is no character, as in an odd file name, is escaped."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def cut(text: str) -> str:
    """The end of `text` where it is longer than `LONGEST_ERROR`, after a line that says so."""
    if len(text) <= LONGEST_ERROR // 4:  # no character has more than four bytes
        return text
    encoded = text.encode()
    missing = len(encoded) - LONGEST_ERROR
    if missing <= 0:
        return text
    return f"[... {missing:,} bytes cut ...]\n{encoded[missing:].decode('utf-8', 'ignore')}"


@dataclass(slots=True, eq=False)
class ErrorReport:
    """An exception, written down: of a very long text, the end."""

    summary: str
    """`ValueError: bad row`"""
    traceback: str

    def __post_init__(self) -> None:
        self.summary, self.traceback = cut(storable(self.summary)), cut(storable(self.traceback))


@dataclass(slots=True, kw_only=True, eq=False)
class Completed:
    """The job has returned."""

    result: str
    """The return value, serialised."""
    progress: str | None
    """The last progress, serialised; `None`: as it was when the execution began."""
    value: Any = None


@dataclass(slots=True, kw_only=True, eq=False)
class Suspended:
    """The job is to be resumed: put it back."""

    reason: str
    """`stopping`, `isolating`, `max_runtime`, `paused`, `error`, or the job's own."""
    description: str
    """`at 'process_records', cursor 51001`"""
    progress: str
    wait: float
    """Seconds before it may resume."""
    queue: str | None
    """The queue to go to; `None`: the one it was on."""
    priority: int | None
    """The priority to get; `None`: the one it had."""
    is_counted: bool
    """Whether this uses up one of `max_resumptions`."""
    error: ErrorReport | None = None
    """The exception that came after progress, where that is why it is suspended."""
    exception: BaseException | None = None
    """The same, itself."""


@dataclass(slots=True, kw_only=True, eq=False)
class Failed:
    """The job has raised, and is not resumed: the queue's own retry handling decides."""

    error: BaseException
    report: ErrorReport
    progress: str
    made_progress: bool
    may_retry: bool
    """False: running it again would only repeat a mistake in the code."""


@dataclass(slots=True, kw_only=True, eq=False)
class Cancelled:
    """The job was stopped for good, by a request or by itself."""

    reason: str
    progress: str


@dataclass(slots=True, eq=False)
class Fenced:
    """A newer execution has taken over: nothing of this one may be written."""


Outcome = Completed | Suspended | Failed | Cancelled | Fenced
