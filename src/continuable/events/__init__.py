"""Events: what happens to jobs, for logs, metrics, pages and subscribers of your own.

The classes are imported when they are first used: a process that merely enqueues needs none.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from continuable.events.kinds import (
        EVENTS,
        CheckpointOverdue,
        Event,
        JobCancelled,
        JobCompleted,
        JobDied,
        JobEnqueued,
        JobFailed,
        JobInterrupted,
        JobNotified,
        JobPaused,
        JobRestarted,
        JobResumed,
        JobRetried,
        JobStarted,
        ProgressSaved,
        StepCompleted,
        StepInterrupted,
        StepSkipped,
        StepStarted,
    )

__all__ = [
    "EVENTS",
    "CheckpointOverdue",
    "Event",
    "JobCancelled",
    "JobCompleted",
    "JobDied",
    "JobEnqueued",
    "JobFailed",
    "JobInterrupted",
    "JobNotified",
    "JobPaused",
    "JobRestarted",
    "JobResumed",
    "JobRetried",
    "JobStarted",
    "ProgressSaved",
    "StepCompleted",
    "StepInterrupted",
    "StepSkipped",
    "StepStarted",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.kinds"), name)


def __dir__() -> list[str]:
    return __all__
