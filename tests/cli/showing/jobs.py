"""Jobs as their store shows them."""

from datetime import UTC, datetime, timedelta

from continuable.model.info import JobInfo
from continuable.model.states import State

NOON = datetime(2026, 12, 24, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """So many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def job(step: str | None = None, cursor: object = None, **changes: object) -> JobInfo:
    """A job that runs since noon; `step` is the one it is in."""
    progress = {}
    if step is not None:
        progress["current"] = [step, cursor]
    for name in ("completed", "done", "total"):
        if name in changes:
            progress[name] = changes.pop(name)
    known = {
        "id": "42",
        "name": "shop.jobs.process_import",
        "queue": "default",
        "priority": 0,
        "state": State.RUNNING,
        "arguments": "[[],{}]",
        "progress": progress,
        "executions": 1,
        "resumptions": 0,
        "deaths": 0,
        "reason": None,
        "error": None,
        "traceback": None,
        "longest_gap": 0.0,
        "worker": "me",
        "enqueued_at": NOON,
        "run_at": None,
        "started_at": NOON,
        "finished_at": None,
        "saved_at": None,
    }
    return JobInfo(**(known | changes))
