"""What claims, outcomes, requests and deaths make of a row: the one logic that all stores share.

Each function changes the row it is handed, on the store's own time `now`, adds what is worth
telling to `told`, and answers. The store reads the row before and writes it after, atomically.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from continuable.core.interrupt import CANCELLED, DIED, LOST, PAUSED
from continuable.core.outcome import Cancelled, Completed, Failed, Fenced, Outcome, Suspended
from continuable.errors import DuplicateJobError, ResumeLimitError
from continuable.model.info import JobInfo
from continuable.model.payload import JobRecord
from continuable.model.states import ON_QUEUE, State, requested
from continuable.progress.protocol import (
    Claim,
    Leased,
    Limits,
    Note,
    Paused,
    Recovered,
    Requested,
    Save,
    Settled,
    Stale,
)
from continuable.progress.row import Row, new_row, readable
from continuable.serialization import compact

MESSAGE_IS_GONE = (
    "Its message is gone from the queue: it was purged or deleted there. Retry the job, which "
    "goes on where it was, or discard it"
)
RETRY = "retry"
"""The reason of a job that waits to be tried again."""

WHY = {"pause": PAUSED, "cancel": CANCELLED}
"""The reason of a job after a request that came with none."""

# What a request comes to that no worker is left to attend to.
AFTER_REQUEST = {State.PAUSING: State.PAUSED, State.CANCELLING: State.CANCELLED}


@dataclass(frozen=True, slots=True)
class Told:
    """An entry for a job's history."""

    event: str
    data: dict[str, Any]
    at: float | None = None
    """Seconds since the epoch; `None`: now."""


def add(
    row: Row,
    now: float,
    told: list[Told],  # noqa: ARG001 - as all
    *,
    record: JobRecord,
    wait: float = 0.0,
    unsent_for: float | None = None,
) -> None:
    """The job is enqueued; `row` was made for it, unless there was one of its id before.

    `unsent_for`: seconds after which its message is sent by a worker, unless it is confirmed, to
    be delivered `wait` seconds after now.
    """
    if row != new_row(record, row.enqueued_at):
        raise DuplicateJobError(record.id, row.state)
    if unsent_for is not None:
        row.run_at = now + wait if wait > 0 else None
        row.lease_until = now + unsent_for


def claim(
    row: Row,
    now: float,
    told: list[Told],
    *,
    record: JobRecord,
    worker: str,
    lease: float,
    limits: Limits,
    is_retry: bool,
) -> Claim | Leased | Paused | Stale:
    """`worker` wants to run the job of a message."""
    if row.state is State.FAILED and (is_retry or row.reason == LOST):  # here its message is
        row.state, row.finished_at = State.INTERRUPTED, None
    if record.delivery < row.delivery or row.state.is_finished:
        return Stale(row.state)
    if row.state.is_running:
        if row.lease_until is not None and row.lease_until > now:
            if (row.worker, row.delivery) != (worker, record.delivery):
                return Leased(row.lease_until - now, row.worker or "")
            row.lease_until = now + lease
            return row.claim()  # the answer to this worker's claim was lost
        mark_died(row, now, told, limits)
    if row.state is State.PAUSED:
        return Paused()
    if row.state.is_finished:
        return Stale(row.state)
    if record.executions > row.executions:
        # The store was away when that execution ended, and so the message knows better.
        row.executions, row.resumptions = record.executions, record.resumptions
        row.progress = compact(record.progress) if record.progress else row.progress
    row.state, row.worker, row.lease_until, row.run_at = State.RUNNING, worker, now + lease, None
    row.delivery = record.delivery
    row.envelope = row.envelope if record.envelope is None else record.envelope
    row.issued = max(row.issued, record.delivery)
    row.ended_by = None
    row.fence += 1
    row.sequence = 0
    row.executions += 1
    row.started_at = now if row.started_at is None else row.started_at
    return row.claim()


def save(row: Row, now: float, told: list[Told], *, save: Save, lease: float) -> bool:  # noqa: ARG001 - as all
    """The progress at a checkpoint; False: the claim does not hold, and nothing is written.

    A lower number leaves the newer progress as it is.
    """
    if not is_held(row, save):
        return False
    if save.sequence > row.sequence:
        row.progress, row.sequence = save.document, save.sequence
    row.deaths = 0 if save.made_progress else row.deaths
    row.saved_at, row.lease_until = now, now + lease
    return True


def settle(
    row: Row,
    now: float,
    told: list[Told],
    *,
    claim: Claim,
    outcome: Outcome,
    retry_in: float | None,
    longest_gap: float,
    notes: Sequence[Note],
    lease: float,
) -> Settled:
    """The execution of `claim` has ended."""
    if isinstance(outcome, Fenced) or not is_held(row, claim):
        return _settled_before(row, claim)
    told.extend(Told(note.event, json.loads(note.data), note.at) for note in notes)
    if outcome.progress is not None:
        row.progress = outcome.progress
    has_progressed = isinstance(outcome, Completed) or has_advanced(claim.progress, row.progress)
    if has_progressed:
        row.deaths = 0
    row.worker, row.ended_by, row.lease_until, row.saved_at = None, claim.worker, None, now
    row.longest_gap = max(row.longest_gap, longest_gap)
    match outcome:
        case Completed():
            row.state, row.result, row.finished_at = State.COMPLETED, outcome.result, now
            return Settled(row.state)
        case Cancelled():
            _cancel(row, now, told, outcome.reason or _why_cancelled(row))
            return Settled(row.state)
        case Suspended():
            row.resumptions += outcome.is_counted
            row.queue = row.queue if outcome.queue is None else outcome.queue
            row.priority = row.priority if outcome.priority is None else outcome.priority
            row.failures = 0 if has_progressed else row.failures
            if outcome.error is not None:
                row.error, row.traceback = outcome.error.summary, outcome.error.traceback
            data = {"reason": outcome.reason, "description": outcome.description}
            return _put_back(row, now, told, outcome.reason, outcome.wait, lease, data)
        case Failed():
            row.failures = 1 if has_progressed else row.failures + 1
            row.error, row.traceback = outcome.report.summary, outcome.report.traceback
            data = {"error": outcome.report.summary}
            if retry_in is not None:
                return _put_back(row, now, told, RETRY, retry_in, lease, data)
            row.state, row.finished_at = State.FAILED, now
            _tell(row, told, "job.failed", data)
            return Settled(row.state)


def release(row: Row, now: float, told: list[Told], *, claim: Claim) -> None:
    """What was claimed has never been started."""
    if not is_held(row, claim):
        return
    row.worker, row.lease_until = None, None
    row.executions -= 1
    match row.state:
        case State.CANCELLING:
            _cancel(row, now, told, _why_cancelled(row))
        case State.PAUSING:
            _hold(row, told)
        case _:
            row.state = State.INTERRUPTED if row.executions else State.WAITING
            row.started_at = row.started_at if row.executions else None


def request(
    row: Row,
    now: float,
    told: list[Told],
    *,
    verb: str,
    lease: float,
    reason: str | None = None,
) -> Requested:
    """A request: `verb` is asked of the job, for a `reason` that is shown."""
    before = row.state
    row.state = requested(verb, row.id, before)
    is_abandoned = row.lease_until is None or row.lease_until <= now
    if row.state.is_running and row.state in AFTER_REQUEST and is_abandoned:
        row.state, row.worker, row.fence = AFTER_REQUEST[row.state], None, row.fence + 1
    match verb:
        case "retry":
            row.resumptions = row.failures = row.deaths = 0
            row.finished_at = None
        case "restart":
            _begin_anew(row)
    if not row.state.is_running:
        row.run_at = row.lease_until = None
    if verb in WHY and row.state != before:
        row.reason = reason or WHY[verb]
    if row.state is State.CANCELLED and row.finished_at is None:
        row.finished_at = now
    event = {"resume": "job.resumed", "retry": "job.retried", "restart": "job.restarted"}
    if row.state != before or verb not in {"pause", "cancel"}:
        told.append(Told(event.get(verb, f"job.{row.state}"), {"from": str(before)}))
    if row.state in ON_QUEUE:
        message = _issue(row, now, 0.0, lease)
        if verb == "restart":
            row.delivery = row.issued  # a message from before is stale
        return Requested(row.info(), message)
    return Requested(row.info())


def recover(
    row: Row, now: float, told: list[Told], *, limits: Callable[[str], Limits], lease: float
) -> Recovered | None:
    """The lease has ended. `None`: it has not, another worker was faster."""
    if row.lease_until is None or row.lease_until > now:
        return None
    worker = row.worker
    if row.state.is_running:
        mark_died(row, now, told, limits(row.name))
    if row.state not in ON_QUEUE:
        return Recovered(row.info(), worker)
    wait = max(0.0, (row.run_at or now) - now)
    message = _issue(row, now, wait, lease)
    return Recovered(row.info(), worker, message, wait)


def lose(
    row: Row, now: float, told: list[Told], *, executions: int, lease: float
) -> JobInfo | None:
    """The engine has no message of the job. `None`: it waits for none, or not for long."""
    since = max(row.enqueued_at, row.saved_at or 0.0, row.run_at or 0.0)
    is_waiting = row.state in ON_QUEUE and row.lease_until is None
    if not is_waiting or row.executions != executions or now < since + lease:
        return None
    row.state, row.reason, row.finished_at, row.run_at = State.FAILED, LOST, now, None
    row.error, row.traceback = MESSAGE_IS_GONE, None
    _tell(row, told, "job.failed", {"error": row.error})
    return row.info()


def unconfirm(row: Row, now: float, _told: list[Told], *, executions: int, wait: float) -> None:
    """The job's message is gone: `recover` gives another one in `wait` seconds."""
    if row.state in ON_QUEUE and row.executions == executions:
        row.issued += 1  # or its sender, which may be about to confirm it, would call it off
        row.lease_until = now + wait


def mark_died(row: Row, now: float, told: list[Told], limits: Limits, reason: str = DIED) -> None:
    """The worker that holds the row has ended, and left the job where its last save says.

    `reason`: another one than its death, where the worker had time to say it. Then it counts as a
    resumption, and not as a death.
    """
    worker, row.worker, row.lease_until = row.worker, None, None
    row.state = AFTER_REQUEST.get(row.state, State.INTERRUPTED)
    row.reason = reason
    row.deaths += reason == DIED
    row.fence += 1
    place = place_of(row)
    error = _beyond(limits, row) if row.state is State.INTERRUPTED else None
    if error is not None:
        error = f"{error}, last {place}"
        row.state, row.error, row.traceback = State.FAILED, error, None
    if row.state.is_finished:
        row.finished_at = now
    else:
        row.resumptions += 1
    event = "job.died" if reason == DIED else "job.interrupted"
    data = {"reason": reason, "description": place, "worker": worker, "state": str(row.state)}
    _tell(row, told, event, data)
    if error is not None:
        _tell(row, told, "job.failed", {"error": error})


def _beyond(limits: Limits, row: Row) -> str | None:
    """Which limit a job has exceeded whose worker has died, as its error."""
    if row.reason == DIED and row.deaths >= limits.max_deaths:
        times = "once" if row.deaths == 1 else f"{row.deaths} times in a row"
        return f"Killed its worker {times} without progress"
    if limits.max_resumptions is not None and row.resumptions >= limits.max_resumptions:
        error = ResumeLimitError(limits.max_resumptions)
        return "".join(traceback.format_exception_only(error)).strip()
    return None


def has_advanced(before: str, after: str) -> bool:
    """Whether a step was completed or a cursor moved, between two progress documents.

    A change of `job.state` or of a step's values alone is no progress: it would forgive deaths.
    """
    return before != after and _position(before) != _position(after)


def _position(document: str) -> tuple[Any, Any]:
    plain = readable(document)
    return plain.get("completed") or [], plain.get("current")


def place_of(row: Row) -> str:
    """Where the job is, in words: `at 'process_records', cursor 51001`."""
    info = row.info()
    if info.step is not None:
        return f"at {info.step!r}, cursor {compact(info.cursor)}"
    return f"after {info.completed[-1]!r}" if info.completed else "before its first step"


def is_held(row: Row, proof: Claim | Save) -> bool:
    """Whether the claim that `proof` names still holds: only then may its worker write."""
    return (row.fence, row.worker) == (proof.fence, proof.worker)


def _settled_before(row: Row, claim: Claim) -> Settled:
    """The answer to the first writing of this end was lost; else the job was taken away."""
    if (row.fence, row.ended_by) != (claim.fence, claim.worker):
        return Settled(None)
    is_waiting = row.state in ON_QUEUE
    return Settled(row.state, row.record() if is_waiting else None)


def _put_back(
    row: Row,
    now: float,
    told: list[Told],
    reason: str,
    wait: float,
    lease: float,
    data: dict[str, Any],
) -> Settled:
    if row.state is State.CANCELLING:
        _cancel(row, now, told, _why_cancelled(row))
        return Settled(row.state)
    if row.state is State.PAUSING or reason == PAUSED:
        _hold(row, told)
        return Settled(row.state)
    row.state, row.reason = State.INTERRUPTED, reason
    event = "job.retrying" if reason == RETRY else "job.interrupted"
    _tell(row, told, event, {**data, "wait": wait})
    return Settled(row.state, _issue(row, now, wait, lease))


def _issue(row: Row, now: float, wait: float, lease: float) -> JobRecord:
    """A new message for the job, which is sent again unless it is confirmed."""
    row.issued += 1
    row.run_at = now + wait if wait > 0 else None
    row.lease_until = now + wait + lease
    return row.record()


def _hold(row: Row, told: list[Told]) -> None:
    row.state = State.PAUSED
    row.reason = PAUSED
    row.run_at = row.lease_until = None
    _tell(row, told, "job.paused", {})


def _why_cancelled(row: Row) -> str:
    """The reason that came with the request for it."""
    return row.reason if row.state is State.CANCELLING and row.reason else CANCELLED


def _cancel(row: Row, now: float, told: list[Told], reason: str) -> None:
    row.state, row.reason, row.finished_at = State.CANCELLED, reason, now
    _tell(row, told, "job.cancelled", {"reason": reason})


def _begin_anew(row: Row) -> None:
    row.progress, row.worker = "{}", None
    row.fence += 1
    row.sequence = row.resumptions = row.failures = row.deaths = 0
    row.longest_gap = 0.0
    row.started_at = row.saved_at = row.finished_at = None
    row.reason = row.error = row.traceback = row.result = None


def _tell(row: Row, told: list[Told], event: str, data: dict[str, Any]) -> None:
    told.append(Told(event, {**data, "execution": row.executions}))
