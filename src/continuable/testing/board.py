"""What handles see of the jobs on a `TestQueue`, and may ask of them."""

from __future__ import annotations

import builtins
from collections import Counter
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta

from continuable.core.interrupt import CANCELLED, PAUSED
from continuable.errors import QueueError
from continuable.events.requests import tell_request
from continuable.events.stream import EventStream
from continuable.model.info import HistoryEntry, JobInfo, JobResult
from continuable.model.states import State, requested
from continuable.testing.entries import ENQUEUED, Entries, Entry

EVENTS = {"resume": "job.resumed", "retry": "job.retried", "restart": "job.restarted"}


class MemoryBoard:
    """The `Board` of a `TestQueue`."""

    def __init__(self, entries: Entries, stream_of: Callable[[str], EventStream | None]) -> None:
        self._entries = entries
        self._stream_of = stream_of

    def find(self, job_id: str) -> JobInfo:
        """One job; `JobNotFoundError` where there is none."""
        return _info(self._entries.find(job_id))

    def list(
        self,
        *,
        states: Collection[State] | None = None,
        queue: str | None = None,
        name: str | None = None,
        limit: int = 100,
    ) -> builtins.list[JobInfo]:
        """Jobs, the newest first."""
        found = [_info(entry) for entry in reversed(self._entries.all())]
        return [
            info
            for info in found
            if (states is None or info.state in states)
            and queue in {None, info.queue}
            and name in {None, info.name}
        ][:limit]

    def counts(self) -> dict[State, int]:
        """How many jobs are in each state."""
        return dict(Counter(entry.state for entry in self._entries.all()))

    def history(self, job_id: str) -> builtins.list[HistoryEntry]:
        """What was worth telling of a job, oldest first."""
        return [*self._entries.find(job_id).history]

    def result(self, job_id: str) -> JobResult:
        """How a job stands; `JobNotFoundError` where there is none."""
        entry = self._entries.find(job_id)
        return JobResult(entry.state, entry.result, entry.error, entry.traceback, entry.reason)

    def request(self, job_id: str, verb: str) -> JobInfo:
        """Pause, resume, cancel, retry or restart a job; `JobStateError` where that cannot be."""
        entry = self._entries.find(job_id)
        before = entry.state
        state = requested(verb, job_id, before)
        if before.is_finished and not state.is_finished:
            self._refuse_second_holder(entry, job_id, verb)
        _tell_execution(entry, verb)
        _change(entry, verb, state)
        if state in ENQUEUED and (before not in ENQUEUED or verb == "restart"):
            self._entries.put_back(job_id)
        if state != before or verb not in {"pause", "cancel"}:
            entry.note(EVENTS.get(verb, f"job.{state}"), {"from": str(before)})
        job = _info(entry)
        if stream := self._stream_of(job.name):
            tell_request(stream, verb, before, job)
        return job

    def prune(self, older_than: float, *, failed: bool = False) -> int:
        """Forget jobs that finished `older_than` seconds ago or earlier; how many those were."""
        before = datetime.now(UTC) - timedelta(seconds=older_than)
        old = [
            entry
            for entry in self._entries.all()
            if entry.finished_at
            and entry.finished_at <= before
            and (failed or entry.state is not State.FAILED)
        ]
        for entry in old:
            self._entries.remove(entry.record.id)
        return len(old)

    def _refuse_second_holder(self, entry: Entry, job_id: str, verb: str) -> None:
        holder = self._entries.holder(entry.unique)
        if holder is not None:
            raise QueueError(
                f"Cannot {verb} job {job_id!r}: the unfinished job {holder!r} has its unique key "
                f"{entry.unique!r} now; let that one finish, or cancel it first"
            )


def _tell_execution(entry: Entry, verb: str) -> None:
    attention = entry.attention
    if attention is None:
        return
    match verb:
        case "pause":
            attention.interrupt(PAUSED)
        case "cancel":
            attention.interrupt(CANCELLED)
        case "resume":
            attention.unpause()
        case "restart":
            attention.supersede()


def _change(entry: Entry, verb: str, state: State) -> None:
    entry.state, entry.wait = state, 0.0
    if verb in {"retry", "restart"}:
        entry.failures, entry.finished_at = 0, None
        record = entry.record
        record.resumptions = 0
        if verb == "restart":
            record.progress = {}
            entry.fence += 1
            entry.attention = entry.result = entry.reason = entry.error = entry.traceback = None
            entry.started_at = entry.saved_at = None
        entry.keep(record)
    if state in {State.PAUSED, State.CANCELLED}:
        entry.reason = str(state)
    if state is State.CANCELLED and entry.finished_at is None:
        entry.finished_at = datetime.now(UTC)


def _info(entry: Entry) -> JobInfo:
    record = entry.record
    return JobInfo(
        id=record.id,
        name=record.name,
        queue=record.queue or "default",
        priority=record.priority,
        state=entry.state,
        arguments=record.arguments,
        progress=record.progress,
        executions=record.executions,
        resumptions=record.resumptions,
        deaths=0,
        reason=entry.reason,
        error=entry.error,
        traceback=entry.traceback,
        longest_gap=entry.longest_gap,
        worker=None,
        enqueued_at=entry.enqueued_at,
        run_at=entry.enqueued_at + timedelta(seconds=entry.wait) if entry.wait else None,
        started_at=entry.started_at,
        finished_at=entry.finished_at,
        saved_at=entry.saved_at,
    )
