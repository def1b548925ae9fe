"""The end of an execution on a `TestQueue`: its outcome becomes the job's state."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from continuable.core.execution import Execution
from continuable.core.interrupt import CANCELLED, PAUSED
from continuable.core.outcome import Cancelled, Completed, Failed, Fenced, Outcome, Suspended
from continuable.model.states import State
from continuable.testing.entries import ENQUEUED, Entries, Entry

RETRY = "retry"


def settle(
    entries: Entries, entry: Entry, execution: Execution, outcome: Outcome
) -> BaseException | None:
    """Write how an execution ended; the answer is the exception, if the job has failed."""
    now = datetime.now(UTC)
    entry.longest_gap = max(entry.longest_gap, execution.attention.longest_gap)
    match outcome:
        case Completed():
            if outcome.progress is not None:
                _keep_progress(entry, outcome.progress)
            entry.state, entry.result, entry.finished_at = State.COMPLETED, outcome.result, now
        case Cancelled():
            _keep_progress(entry, outcome.progress)
            _cancel(entry, outcome.reason, now)
        case Suspended():
            _suspend(entry, outcome, now)
        case Failed():
            return _failed(entries, entry, execution, outcome, now)
        case Fenced():
            pass
    if entry.state in ENQUEUED:
        entries.put_back(execution.record.id)
    return None


def _suspend(entry: Entry, outcome: Suspended, now: datetime) -> None:
    made_progress = json.loads(outcome.progress) != entry.record.progress
    record = entry.record
    record.progress = json.loads(outcome.progress)
    record.resumptions += outcome.is_counted
    record.queue = record.queue if outcome.queue is None else outcome.queue
    record.priority = record.priority if outcome.priority is None else outcome.priority
    entry.keep(record)
    if made_progress:
        entry.failures = 0
    if outcome.error is not None:
        entry.error, entry.traceback = outcome.error.summary, outcome.error.traceback
    entry.note("job.interrupted", {"reason": outcome.reason, "description": outcome.description})
    _leave(entry, outcome.reason, outcome.wait, now)


def _failed(
    entries: Entries, entry: Entry, execution: Execution, outcome: Failed, now: datetime
) -> BaseException | None:
    _keep_progress(entry, outcome.progress)
    entry.failures = 1 if outcome.made_progress else entry.failures + 1
    entry.error, entry.traceback = outcome.report.summary, outcome.report.traceback
    options = execution.definition.options
    retry_in = options.retry_after(entry.failures) if outcome.may_retry else None
    execution.has_failed(outcome, retry_in)
    if retry_in is None:
        entry.state, entry.finished_at = State.FAILED, now
        entry.note("job.failed", {"error": outcome.report.summary})
        return outcome.error
    entry.note("job.retrying", {"error": outcome.report.summary, "wait": retry_in})
    _leave(entry, RETRY, retry_in, now)
    if entry.state in ENQUEUED:
        entries.put_back(execution.record.id)
    return None


def _leave(entry: Entry, reason: str, wait: float, now: datetime) -> None:
    """What was asked for in the meantime wins: a pause holds the job, a cancel ends it."""
    if entry.state is State.CANCELLING:
        _cancel(entry, CANCELLED, now)
    elif entry.state is State.PAUSING or reason == PAUSED:
        entry.state, entry.reason, entry.wait = State.PAUSED, PAUSED, 0.0
    else:
        entry.state, entry.reason, entry.wait = State.INTERRUPTED, reason, wait


def _cancel(entry: Entry, reason: str, now: datetime) -> None:
    entry.state, entry.reason, entry.finished_at = State.CANCELLED, reason, now
    entry.note("job.cancelled", {"reason": reason})


def _keep_progress(entry: Entry, progress: str) -> None:
    record = entry.record
    record.progress = json.loads(progress)
    entry.keep(record)
