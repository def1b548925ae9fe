"""What people may know of a job: the view that handles, the command line and pages share."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from continuable.model.states import State


@dataclass(frozen=True, slots=True, kw_only=True)
class JobInfo:
    """One job as its store knows it. Times are aware, in UTC."""

    id: str
    name: str
    queue: str
    priority: int
    state: State
    arguments: str
    progress: dict[str, Any] = field(default_factory=dict)
    executions: int
    resumptions: int
    deaths: int
    """Executions in a row that died with their worker, without progress since."""
    reason: str | None
    """Why it was interrupted, paused or cancelled last."""
    error: str | None
    """The last error in a line."""
    traceback: str | None
    longest_gap: float
    """The longest time without a checkpoint that was noticed, in seconds."""
    worker: str | None
    enqueued_at: datetime
    run_at: datetime | None
    """When it may start or resume, where that is not at once."""
    started_at: datetime | None
    finished_at: datetime | None
    saved_at: datetime | None

    # What follows is read from progress that may be damaged: people must see such a job, too.

    @property
    def step(self) -> str | None:
        """The step it is in."""
        return self._current[0]

    @property
    def cursor(self) -> Any:
        """The cursor of that step, in its plain form."""
        return self._current[1]

    @property
    def completed(self) -> list[str]:
        """The steps it has completed, in order."""
        completed = self.progress.get("completed")
        return list(completed) if isinstance(completed, list) else []

    @property
    def description(self) -> str:
        """Where it is: `at 'process_records', cursor 51001`, `after 'validate'`, `not started`."""
        if self.step is not None:
            return f"at {self.step!r}" + ("" if self.cursor is None else f", cursor {self.cursor}")
        return f"after {self.completed[-1]!r}" if self.completed else "not started"

    @property
    def done(self) -> int:
        """Items done in the step it is in."""
        done = self.progress.get("done")
        return done if isinstance(done, int) else 0

    @property
    def total(self) -> int | None:
        """All items of the step it is in, where that is known."""
        total = self.progress.get("total")
        return total if isinstance(total, int) else None

    @property
    def _current(self) -> tuple[str | None, Any]:
        match self.progress.get("current"):
            case [str(step), cursor]:
                return step, cursor
        return None, None


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """Something worth telling that has happened to a job."""

    at: datetime
    event: str
    """A dotted name, as in `continuable.events`."""
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class JobResult:
    """How a job stands, with what its end left: `result` is serialised."""

    state: State
    result: str | None = None
    error: str | None = None
    traceback: str | None = None
    reason: str | None = None
