"""For your tests: a queue in memory, interruptions on demand, and proof that a job resumes.

Nothing is imported before it is used, so that the pytest plugin costs no test run its start.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from continuable.testing.interrupting import interrupt_after_step, interrupt_during_step
    from continuable.testing.queue import TestQueue
    from continuable.testing.resumability.check import check_resumable
    from continuable.testing.resumability.report import (
        NotRepeatableError,
        NotResumableError,
        Resumability,
    )
    from continuable.testing.resumability.strategies import strikes
    from continuable.testing.starting import start_after, start_at
    from continuable.testing.views import EnqueuedJob, RunningJob

__all__ = [
    "EnqueuedJob",
    "NotRepeatableError",
    "NotResumableError",
    "Resumability",
    "RunningJob",
    "TestQueue",
    "check_resumable",
    "interrupt_after_step",
    "interrupt_during_step",
    "start_after",
    "start_at",
    "strikes",
]

_MODULES = {
    "EnqueuedJob": "views",
    "NotRepeatableError": "resumability.report",
    "NotResumableError": "resumability.report",
    "Resumability": "resumability.report",
    "RunningJob": "views",
    "TestQueue": "queue",
    "check_resumable": "resumability.check",
    "interrupt_after_step": "interrupting",
    "interrupt_during_step": "interrupting",
    "start_after": "starting",
    "start_at": "starting",
    "strikes": "resumability.strategies",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
