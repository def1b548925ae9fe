"""`Row`: all that a store knows of one job."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from continuable.model.info import JobInfo, JobResult
from continuable.model.payload import JobRecord
from continuable.model.states import State
from continuable.progress.protocol import Claim
from continuable.serialization import compact

DEFAULT_QUEUE = "default"
"""What people see of a job that is on its engine's own default queue."""


@dataclass(slots=True, kw_only=True)
class Row:
    """One job in a store. Times are seconds since the epoch, on the store's own clock."""

    id: str
    name: str
    queue: str | None = None
    priority: int
    arguments: str
    progress: str = "{}"
    state: State = State.WAITING
    worker: str | None = None
    """The id of the worker that runs it."""
    ended_by: str | None = None
    """The id of the worker that wrote the newest end: only that worker may write it again."""
    lease_until: float | None = None
    """Lease expiry. While running: when the worker is presumed dead. While waiting: when an
    unconfirmed message is sent again. `None`: no time-out."""
    fence: int = 0
    """The number of the newest claim. Only the worker that holds it may write."""
    sequence: int = 0
    """The number of the newest progress saved within that claim."""
    delivery: int = 0
    """The highest number of a message that was claimed: lower ones are stale."""
    issued: int = 0
    """The highest number that a message was given."""
    executions: int = 0
    resumptions: int = 0
    failures: int = 0
    """In a row, without progress."""
    deaths: int = 0
    """As `failures`."""
    enqueued_at: float = 0.0
    run_at: float | None = None
    started_at: float | None = None
    saved_at: float | None = None
    finished_at: float | None = None
    longest_gap: float = 0.0
    reason: str | None = None
    error: str | None = None
    traceback: str | None = None
    result: str | None = None
    envelope: str | None = None

    def record(self) -> JobRecord:
        """The payload of a message that resumes the job."""
        record = self.claim().identity()
        record.progress = readable(self.progress)
        return record

    def claim(self) -> Claim:
        """What its worker holds."""
        return Claim(
            id=self.id,
            name=self.name,
            arguments=self.arguments,
            queue=self.queue,
            priority=self.priority,
            executions=self.executions,
            resumptions=self.resumptions,
            delivery=self.issued,
            envelope=self.envelope,
            worker=self.worker or "",
            fence=self.fence,
            failures=self.failures,
            reason=self.reason,
            progress=self.progress,
        )

    def info(self) -> JobInfo:
        """The job as people see it."""
        return JobInfo(
            id=self.id,
            name=self.name,
            queue=self.queue or DEFAULT_QUEUE,
            priority=self.priority,
            state=self.state,
            arguments=self.arguments,
            progress=readable(self.progress),
            executions=self.executions,
            resumptions=self.resumptions,
            deaths=self.deaths,
            reason=self.reason,
            error=self.error,
            traceback=self.traceback,
            longest_gap=self.longest_gap,
            worker=self.worker,
            enqueued_at=_when(self.enqueued_at),
            run_at=_maybe_when(self.run_at),
            started_at=_maybe_when(self.started_at),
            finished_at=_maybe_when(self.finished_at),
            saved_at=_maybe_when(self.saved_at),
        )

    def ending(self) -> JobResult:
        """How the job ended, as far as it has."""
        return JobResult(self.state, self.result, self.error, self.traceback, self.reason)


KNOWN_STATES = frozenset(state.value for state in State)


def wanted_state(state: str) -> State:
    """What is wanted of a running job; one that this release does not know lets it go on."""
    return State(state) if state in KNOWN_STATES else State.RUNNING


COLUMNS = tuple(field.name for field in fields(Row))


def claim_of(job_id: str, worker: str, values: Sequence[Any]) -> Claim:
    """What `worker` holds, from what a store has kept: texts, and numbers or texts of them."""
    (
        name,
        arguments,
        queue,
        priority,
        executions,
        resumptions,
        issued,
        envelope,
        progress,
        fence,
        failures,
        reason,
    ) = values
    return Claim(
        id=job_id,
        name=name,
        arguments=arguments,
        queue=queue,
        priority=int(priority),
        executions=int(executions),
        resumptions=int(resumptions),
        delivery=int(issued),
        envelope=envelope,
        worker=worker,
        fence=int(fence),
        failures=int(failures),
        reason=reason,
        progress=progress,
    )


def new_row(record: JobRecord, now: float) -> Row:
    """The row of a job that the store has not heard of before."""
    return Row(
        id=record.id,
        name=record.name,
        queue=record.queue,
        priority=record.priority,
        arguments=record.arguments,
        progress=compact(record.progress),
        state=State.INTERRUPTED if record.progress else State.WAITING,
        delivery=record.delivery,
        issued=record.delivery,
        executions=record.executions,
        resumptions=record.resumptions,
        enqueued_at=now,
        envelope=record.envelope,
    )


def readable(progress: str) -> dict[str, Any]:
    """Progress as people and messages have it; a damaged one is empty there.

    So the job is seen, and recovered. It fails once it runs: `Claim.record` raises.
    """
    try:
        plain = json.loads(progress)
    except (ValueError, RecursionError):
        return {}
    return plain if isinstance(plain, dict) else {}


def row_from(values: Sequence[Any]) -> Row:
    """A row from what a table has of it, in the order of `COLUMNS`."""
    return row_of(dict(zip(COLUMNS, values, strict=True)))


def row_of(values: dict[str, Any]) -> Row:
    """A row from what a store has kept of it, by the names of its fields."""
    return Row(**{**values, "state": State(values["state"])})


def _when(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _maybe_when(seconds: float | None) -> datetime | None:
    return None if seconds is None else _when(seconds)
