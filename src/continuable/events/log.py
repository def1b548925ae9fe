"""The default subscriber: events as lines that a person can follow, in the `continuable` log."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from continuable.events.kinds import Event

logger = logging.getLogger("continuable")
logger.addHandler(logging.NullHandler())
_formatter = logging.Formatter()

MILLISECONDS = 1000

LEVELS = {
    "job.enqueued": logging.DEBUG,
    "progress.saved": logging.DEBUG,
    "job.retried": logging.WARNING,
    "job.died": logging.WARNING,
    "checkpoint.overdue": logging.WARNING,
    "job.failed": logging.ERROR,
}


TRACED = frozenset({"job.failed", "job.retried"})
"""The kinds whose lines come with the traceback."""


def wants(name: str) -> bool:
    """Whether the log shows events of this kind."""
    return logger.isEnabledFor(LEVELS.get(name, logging.INFO))


def log(event: Event) -> None:
    """Write one line: a constant message, the event's data as its arguments and as `extra`."""
    message, *arguments = _sentence(event)
    level = LEVELS.get(event.name, logging.INFO)
    message = "%s " + message
    exception = getattr(event, "exception", None) if event.name in TRACED else None
    logger.log(level, message, _title(event), *arguments, extra=_extra(event), exc_info=exception)


def escape_traceback(record: logging.LogRecord) -> bool:
    """Write a traceback so that every file takes it: in an odd file name, not all is text."""
    if record.exc_info:
        text = _formatter.formatException(record.exc_info)
        escaped = text.encode("utf-8", "backslashreplace").decode()
        if escaped != text:
            record.exc_text = escaped
    return True


logger.addFilter(escape_traceback)


def try_to_log(level: int, message: str, *arguments: object, exc_info: bool = False) -> None:
    """Write one line from a thread that has to go on, whatever a handler of the log raises."""
    with contextlib.suppress(BaseException):
        logger.log(level, message, *arguments, exc_info=exc_info)


def _title(event: Event) -> str:
    return f"{event.job_name.rpartition('.')[2]}[{event.job_id}]"


def _extra(event: Event) -> dict[str, Any]:
    # `name` and the like are taken by the log record itself.
    # The exception is its `exc_info`.
    names = [f.name for f in dataclasses.fields(event) if f.name != "exception"]
    fields = {f"continuable_{name}": getattr(event, name) for name in names}
    return {"continuable_event": event.name, **fields}


def _sentence(event: Event) -> tuple[Any, ...]:  # noqa: C901, PLR0911, PLR0912 - one line a kind
    from continuable.events import kinds as events

    match event:
        case events.JobEnqueued():
            return "enqueued on %s", event.queue
        case events.JobStarted():
            return ("started",)
        case events.JobResumed():
            return "resumed %s", event.description
        case events.JobNotified():
            return "says %s %s", event.notification, event.data
        case events.JobInterrupted(error=None):
            return "interrupted (%s) %s", event.reason, event.description
        case events.JobInterrupted():
            return "interrupted (%s) %s: %s", event.reason, event.description, event.error
        case events.JobCompleted():
            return "completed in %d ms", event.duration * MILLISECONDS
        case events.JobFailed():
            return "failed %s: %s", event.description, event.error
        case events.JobCancelled(reason=""):
            return "cancelled %s", event.description
        case events.JobCancelled():
            return "cancelled (%s) %s", event.reason, event.description
        case events.JobRetried():
            return "failed and is retried in %.1f s: %s", event.wait, event.error
        case events.JobDied():
            return "was running %s when its worker %s died", event.description, event.worker
        case events.JobPaused():
            return "paused %s", event.description
        case events.JobRestarted():
            return ("sent back to its beginning",)
        case events.StepStarted(resumed=True):
            return "step %s resumed from cursor %r", event.step, event.cursor
        case events.StepStarted():
            return "step %s started", event.step
        case events.StepSkipped():
            return "step %s skipped", event.step
        case events.StepCompleted():
            return "step %s completed in %d ms", event.step, event.duration * MILLISECONDS
        case events.StepInterrupted():
            return "step %s interrupted at cursor %r", event.step, event.cursor
        case events.ProgressSaved():
            return "progress saved at cursor %r, %d bytes", event.cursor, event.bytes
        case events.CheckpointOverdue():
            return "has reached no checkpoint for %.1f s, in step %s", event.seconds, event.step
    return (event.name,)
