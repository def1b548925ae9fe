"""What happens to jobs, as structured events: the one seam for logs, metrics, traces and pages."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that has happened to a job; `at` is aware, in UTC."""

    name: ClassVar[str]

    at: datetime
    job_id: str
    job_name: str
    queue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEnqueued(Event):
    """A job was put on its queue."""

    name = "job.enqueued"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStarted(Event):
    """The first execution begins, or one that has no progress to resume from."""

    name = "job.started"
    execution: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobResumed(Event):
    """An execution begins with the progress of an earlier one."""

    name = "job.resumed"
    execution: int
    resumptions: int
    description: str
    """Where it resumes: `at 'process_records', cursor 51001`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobNotified(Event):
    """The job itself had something to tell: `job.notify(notification, **data)`."""

    name = "job.notified"
    notification: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobInterrupted(Event):
    """The job was interrupted, and will resume where it was."""

    name = "job.interrupted"
    reason: str
    description: str
    error: str | None = None
    """The exception that came after progress, where that was the reason, in a line."""
    exception: BaseException | None = field(default=None, compare=False, repr=False)
    """That exception, with its traceback."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCompleted(Event):
    """The job has returned."""

    name = "job.completed"
    duration: float
    """Seconds, of this execution."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFailed(Event):
    """The job has raised and is not run again by itself."""

    name = "job.failed"
    error: str
    description: str
    exception: BaseException | None = field(default=None, compare=False, repr=False)
    """What was raised, with its traceback; `None`: nothing was, or not in this process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCancelled(Event):
    """The job was stopped for good, by a request or by itself."""

    name = "job.cancelled"
    reason: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRetried(Event):
    """The job has raised without progress, and is run again."""

    name = "job.retried"
    error: str
    wait: float
    """Seconds until then."""
    exception: BaseException | None = field(default=None, compare=False, repr=False)
    """What was raised, with its traceback."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDied(Event):
    """The worker that ran the job has died, or gave no sign of life for the time of a lease."""

    name = "job.died"
    worker: str
    description: str
    """Where the job is, as far as that was saved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPaused(Event):
    """The job is held until somebody resumes it."""

    name = "job.paused"
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRestarted(Event):
    """Somebody has sent the job back to its beginning."""

    name = "job.restarted"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted(Event):
    """A step begins, or goes on at its cursor."""

    name = "step.started"
    step: str
    cursor: Any
    resumed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSkipped(Event):
    """A step was completed in an earlier execution."""

    name = "step.skipped"
    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCompleted(Event):
    """A step's function has returned."""

    name = "step.completed"
    step: str
    duration: float
    """Seconds, of this execution."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepInterrupted(Event):
    """A step was left at a checkpoint."""

    name = "step.interrupted"
    step: str
    cursor: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressSaved(Event):
    """Progress was written to its store."""

    name = "progress.saved"
    cursor: Any
    """In its plain form."""
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointOverdue(Event):
    """A job has gone longer without a checkpoint than the grace of a shutdown allows."""

    name = "checkpoint.overdue"
    step: str | None
    seconds: float
    """Since something was wanted of the job that it has not attended to."""


EVENTS: dict[str, type[Event]] = {kind.name: kind for kind in Event.__subclasses__()}
"""Every kind of event by its dotted name."""
