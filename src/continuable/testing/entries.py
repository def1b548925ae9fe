"""The jobs of a `TestQueue`, in memory, each as the JSON that a real queue would carry."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from continuable.connections.outcome import Mark, mark_in
from continuable.core.attention import Attention
from continuable.errors import DuplicateJobError, JobNotFoundError
from continuable.model.info import HistoryEntry
from continuable.model.payload import Enqueued, Enqueueing, JobRecord
from continuable.model.states import State

ENQUEUED = frozenset({State.WAITING, State.INTERRUPTED})


@dataclass(slots=True, kw_only=True)
class Entry:
    """One job: its payload, and what has become of it."""

    payload: str
    state: State
    wait: float = 0.0
    unique: str | None = None
    mark: Mark | None = None
    """The transaction of the user's that the job was enqueued in."""
    result: str | None = None
    reason: str | None = None
    error: str | None = None
    traceback: str | None = None
    failures: int = 0
    fence: int = 0
    """Counts up when the job is taken away from an execution that is under way."""
    longest_gap: float = 0.0
    attention: Attention | None = None
    enqueued_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    started_at: datetime | None = None
    finished_at: datetime | None = None
    saved_at: datetime | None = None
    history: list[HistoryEntry] = field(default_factory=list)

    @property
    def record(self) -> JobRecord:
        """The payload, read anew each time."""
        return JobRecord.from_json(self.payload)

    def keep(self, record: JobRecord) -> None:
        """Write the payload anew; a record that JSON cannot carry fails here."""
        self.payload = JobRecord.from_json(record.to_json()).to_json()

    def note(self, event: str, data: dict[str, Any]) -> None:
        """Add to the job's history."""
        self.history.append(HistoryEntry(datetime.now(UTC), event, data))

    @property
    def is_there(self) -> bool:
        """Whether the transaction it was enqueued in, if any, has committed."""
        if self.mark is not None and self.mark.is_committed():
            self.mark = None
        return self.mark is None


class Entries:
    """All jobs by their ids, and the order in which those that are enqueued will run."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._order: dict[str, None] = {}
        self._lock = threading.RLock()

    def add(self, items: Sequence[Enqueueing], connection: Any = None) -> list[Enqueued]:
        """Put all of `items` at the end, or none; `DuplicateJobError` for an id that is taken."""
        mark = None if connection is None else mark_in(connection)
        with self._lock:
            known = {job_id: entry for job_id, entry in self._entries.items() if entry.is_there}
            keys = {e.unique: i for i, e in known.items() if e.unique and not e.state.is_finished}
            new: dict[str, Entry] = {}
            answers = []
            for item in items:
                job_id = item.record.id
                if item.unique in keys:
                    answers.append(Enqueued(keys[item.unique], is_new=False))
                    continue
                if taken := known.get(job_id) or new.get(job_id):
                    raise DuplicateJobError(job_id, taken.state)
                new[job_id] = _entry(item, mark)
                if item.unique:
                    keys[item.unique] = job_id
                answers.append(Enqueued(job_id, is_new=True))
            self._entries |= new
            self._order |= dict.fromkeys(new)
            return answers

    def find(self, job_id: str) -> Entry:
        """One job; `JobNotFoundError` where there is none."""
        entry = self._entries.get(job_id)
        if entry is None or not entry.is_there:
            raise JobNotFoundError(job_id)
        return entry

    def all(self) -> list[Entry]:
        """Every job, the oldest first."""
        return [entry for entry in list(self._entries.values()) if entry.is_there]

    def enqueued(self) -> list[Entry]:
        """The jobs that wait for a worker, in the order in which they were (re-)enqueued."""
        waiting = [self._entries[job_id] for job_id in list(self._order)]
        return [entry for entry in waiting if entry.state in ENQUEUED and entry.is_there]

    def start(self, job_id: str) -> None:
        """The job does not wait any more."""
        self._order.pop(job_id, None)

    def put_back(self, job_id: str, *, first: bool = False) -> None:
        """The job waits again, behind all others, or before them."""
        with self._lock:
            self._order.pop(job_id, None)
            if first:
                self._order = {job_id: None} | self._order
            else:
                self._order[job_id] = None

    def holder(self, unique: str | None) -> str | None:
        """The unfinished job that has this key."""
        for entry in self.all():
            if unique and entry.unique == unique and not entry.state.is_finished:
                return entry.record.id
        return None

    def remove(self, job_id: str) -> None:
        """Forget a job."""
        with self._lock:
            self._entries.pop(job_id, None)
            self._order.pop(job_id, None)


def _entry(item: Enqueueing, mark: Mark | None) -> Entry:
    record = item.record
    until = 0.0 if item.run_at is None else item.run_at - time.time()
    return Entry(
        payload=JobRecord.from_json(record.to_json()).to_json(),
        state=State.INTERRUPTED if record.progress else State.WAITING,
        wait=max(0.0, until, item.wait),
        unique=item.unique,
        mark=mark,
    )
