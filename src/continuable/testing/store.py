"""The jobs of a `TestQueue`: rows in memory, and what a queue knows of them besides."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from continuable.connections.outcome import Mark, mark_in
from continuable.core.attention import Attention
from continuable.core.interrupt import CANCELLED, PAUSED
from continuable.errors import DuplicateJobError, QueueError
from continuable.model.payload import Enqueued, Enqueueing, JobRecord
from continuable.model.states import ON_QUEUE, requested
from continuable.progress.memory import MemoryProgress
from continuable.progress.protocol import Claim, Requested
from continuable.progress.row import Row, new_row
from continuable.worker.identity import new_worker_id

NEVER = float("inf")


class QueueStore(MemoryProgress):
    """The progress store of a `TestQueue`, whose leases never end.

    It also keeps the order in which enqueued jobs run, unique keys, jobs that were enqueued in a
    transaction which has not committed yet, and the attention of each run under way.
    """

    def __init__(self) -> None:
        super().__init__(lease=NEVER)
        self.attentions: dict[tuple[str, int], Attention] = {}
        """By the id and the fence of the claim."""
        self._order: dict[str, None] = {}
        self._unique: dict[str, str | None] = {}
        self._uncommitted: list[tuple[Mark, dict[str, Row]]] = []

    def enqueue(self, items: Sequence[Enqueueing], connection: Any = None) -> list[Enqueued]:
        """Put all of `items` at the end, or none; `DuplicateJobError` for an id that is taken."""
        mark = None if connection is None else mark_in(connection)
        with self._lock:
            rows, holders = self._rows(), self._holders()
            new: dict[str, Row] = {}
            answers = []
            for item in items:
                job_id = item.record.id
                if item.unique in holders:
                    answers.append(Enqueued(holders[item.unique], is_new=False))
                    continue
                if taken := rows.get(job_id) or new.get(job_id):
                    raise DuplicateJobError(job_id, taken.state)
                new[job_id] = _row(item)
                if item.unique:
                    holders[item.unique] = job_id
                answers.append(Enqueued(job_id, is_new=True))
            if mark is None:
                rows |= new
            else:
                self._uncommitted.append((mark, new))
            self._unique |= {item.record.id: item.unique for item in items if item.record.id in new}
            for job_id in new:
                self.put_back(job_id)
            return answers

    def enqueued(self) -> list[Row]:
        """The jobs that wait for a worker, in the order in which they were (re-)enqueued."""
        with self._lock:
            rows = self._rows()
            found = [rows[job_id] for job_id in self._order if job_id in rows]
        return [row for row in found if row.state in ON_QUEUE]

    def take(self, job_id: str) -> Claim | None:
        """Claim a job, if it is enqueued still."""
        with self._lock:
            row = self._rows().get(job_id)
            if row is None or row.state not in ON_QUEUE:
                return None
            self._order.pop(job_id, None)
            claim = self.claim(row.record(), new_worker_id())
            return claim if isinstance(claim, Claim) else None

    def put_back(self, job_id: str, *, first: bool = False) -> None:
        """The job waits again, behind all others, or before them."""
        with self._lock:
            self._order.pop(job_id, None)
            if first:
                self._order = {job_id: None} | self._order
            else:
                self._order[job_id] = None

    def request(self, job_id: str, verb: str, *, reason: str | None = None) -> Requested:
        """As in any store; a run under way hears of it at once."""
        with self._lock:
            row = self._read(job_id)
            state = requested(verb, job_id, row.state)
            if row.state.is_finished and not state.is_finished:
                self._refuse_second_holder(job_id, verb)
            answer = super().request(job_id, verb, reason=reason)
            if state in ON_QUEUE and (row.state not in ON_QUEUE or verb == "restart"):
                self.put_back(job_id)
            attention = self.attentions.get((job_id, row.fence))
        if attention is not None:
            _tell(attention, verb)
        return answer

    def _rows(self) -> dict[str, Row]:
        rows = super()._rows()
        for arrived in [one for one in self._uncommitted if one[0].is_committed()]:
            self._uncommitted.remove(arrived)
            rows |= arrived[1] | rows  # what is there stays
        return rows

    def _holders(self) -> dict[str | None, str]:
        """The unfinished jobs that have a unique key, by those."""
        rows = self._rows()
        return {
            unique: job_id
            for job_id, unique in self._unique.items()
            if unique and job_id in rows and not rows[job_id].state.is_finished
        }

    def _refuse_second_holder(self, job_id: str, verb: str) -> None:
        unique = self._unique[job_id]
        holder = self._holders().get(unique)
        if holder is not None:
            raise QueueError(
                f"Cannot {verb} job {job_id!r}: the unfinished job {holder!r} has its unique key "
                f"{unique!r} now; let that one finish, or cancel it first"
            )


def _row(item: Enqueueing) -> Row:
    """A new row, from a payload that was written as JSON and read back."""
    now = time.time()
    row = new_row(JobRecord.from_json(item.record.to_json()), now)
    run_at = max(item.run_at or now, now + item.wait)
    row.run_at = run_at if run_at > now else None
    return row


def wait_of(row: Row) -> float:
    """Seconds from when the job was enqueued, or its last run ended, until a worker may start it.

    To the microsecond: more digits than that have been lost in a time of day.
    """
    since = row.enqueued_at if row.saved_at is None else row.saved_at
    return 0.0 if row.run_at is None else round(row.run_at - since, 6)


def _tell(attention: Attention, verb: str) -> None:
    match verb:
        case "pause":
            attention.interrupt(PAUSED)
        case "cancel":
            attention.interrupt(CANCELLED)
        case "resume":
            attention.unpause()
        case "restart":
            attention.supersede()
