"""`MemoryProgress`: rows in the memory of one process, for tests."""

from __future__ import annotations

import builtins
import json
import threading
import time
from collections import Counter, deque
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import NoReturn, TypeVar

from continuable.errors import CheckpointError, JobNotFoundError
from continuable.model.info import HistoryEntry, JobInfo
from continuable.model.payload import JobRecord
from continuable.model.states import State
from continuable.progress import lifecycle
from continuable.progress.lifecycle import Told
from continuable.progress.protocol import Note, Save
from continuable.progress.row import DEFAULT_QUEUE, Row, new_row
from continuable.progress.rowstore import HISTORY, LEASE, RowStore, Transition

A = TypeVar("A")


class MemoryProgress(RowStore):
    """Progress in the memory of this process: no other process sees it, and it ends with this one.

    There are no transactions to share with your data, so `step.commit` is a `CheckpointError`
    that says which stores can.

    Args:
        lease: Seconds for which a claim holds without a sign of life from its worker.
    """

    def __init__(self, *, lease: float = LEASE) -> None:
        super().__init__(lease=lease)
        self._by_id: dict[str, Row] = {}
        self._histories: dict[str, deque[HistoryEntry]] = {}
        self._lock = threading.RLock()

    def withdraw(self, job_id: str) -> None:
        with self._lock:
            row = self._rows().get(job_id)
            if row is not None and row.state is State.WAITING and row.fence == 0:
                self._forget(job_id)

    # --- what running jobs write and hear

    def save(self, saves: Iterable[Save], timeout: float | None = None) -> builtins.list[str]:  # noqa: ARG002 - this lock is short
        with self._lock:
            return [save.id for save in saves if not self._save(save)]

    def commit(self, connection: object, save: Save, *, again: bool = False) -> NoReturn:  # noqa: ARG002 - see there
        """Impossible here: a `CheckpointError`."""
        raise CheckpointError(
            "Memory has no transaction that your rows and the cursor could share. Keep progress "
            "where your rows are: progress=SQLAlchemyProgress(...), DjangoProgress() or "
            "SQLiteProgress(...); or move the cursor after your own commit, with step.set()"
        )

    def is_in_transaction(self, connection: object) -> bool:  # noqa: ARG002 - see there
        """Never: memory has no transaction to commit in."""
        return False

    def is_written(self, save: Save) -> bool:
        try:
            row = self._read(save.id)
        except JobNotFoundError:
            return False
        return lifecycle.is_held(row, save) and row.sequence >= save.sequence

    def note(self, job_id: str, note: Note, timeout: float | None = None) -> None:  # noqa: ARG002 - as in `save`
        entry = Told(note.event, json.loads(note.data), note.at)
        self._change(job_id, lambda _row, _now, told: told.append(entry))

    def controls(self, worker: str) -> builtins.list[tuple[str, int, State]]:
        return [(row.id, row.fence, row.state) for row in self._all() if row.worker == worker]

    def renew(self, worker: str) -> None:
        until = time.time() + self.lease
        with self._lock:
            rows = self._rows()
            held = [row for row in rows.values() if row.worker == worker]
            rows.update((row.id, replace(row, lease_until=until)) for row in held)

    def holders(self) -> builtins.list[tuple[str, str]]:
        return [(row.id, row.worker) for row in self._all() if row.worker is not None]

    # --- what people see

    def list(
        self,
        *,
        states: Collection[State] | None = None,
        queue: str | None = None,
        name: str | None = None,
        limit: int = 100,
    ) -> builtins.list[JobInfo]:
        found = (
            row.info()
            for row in reversed(self._all())
            if (states is None or row.state in states)
            and queue in {None, row.queue or DEFAULT_QUEUE}
            and name in {None, row.name}
        )
        return [*islice(found, limit)]

    def counts(self) -> dict[State, int]:
        return dict(Counter(row.state for row in self._all()))

    def history(self, job_id: str) -> builtins.list[HistoryEntry]:
        with self._lock:
            return [*self._histories.get(self._read(job_id).id, ())]

    def discard(self, job_id: str) -> bool:
        with self._lock:
            row = self._rows().get(job_id)
            has_ended = row is not None and row.state.is_finished
            if has_ended:
                self._forget(job_id)
        return has_ended

    def prune(self, older_than: float, *, failed: bool = False, limit: int | None = None) -> int:
        before = time.time() - older_than
        with self._lock:
            old = [
                row.id
                for row in self._all()
                if row.finished_at is not None
                and row.finished_at <= before
                and (failed or row.state is not State.FAILED)
            ][:limit]
            for job_id in old:
                self._forget(job_id)
        return len(old)

    # --- rows

    def _rows(self) -> dict[str, Row]:
        """The rows by their ids, the oldest first; to be used while the lock is held.

        A row is replaced, and never changed in its place.
        """
        return self._by_id

    def _all(self) -> builtins.list[Row]:
        with self._lock:
            return [*self._rows().values()]

    def _change(
        self,
        job_id: str,
        transition: Transition[A],
        *,
        record: JobRecord | None = None,
        is_retried: bool = False,  # noqa: ARG002 - as in `save`
    ) -> A:
        with self._lock:
            now = time.time()
            rows = self._rows()
            if job_id in rows:
                row = replace(rows[job_id])
            elif record is not None:
                row = new_row(record, now)
            else:
                raise JobNotFoundError(job_id)
            told: builtins.list[Told] = []
            answer = transition(row, now, told)
            rows[job_id] = row
            history = self._histories.setdefault(job_id, deque(maxlen=HISTORY))
            history.extend(_entry(told, now) for told in told)
            return answer

    def _read(self, job_id: str) -> Row:
        with self._lock:
            row = self._rows().get(job_id)
        if row is None:
            raise JobNotFoundError(job_id)
        return row

    def _expired(self, limit: int) -> builtins.list[str]:
        now = time.time()
        ends = [(row.lease_until, row.id) for row in self._all() if row.lease_until is not None]
        return [job_id for until, job_id in sorted(ends) if until <= now][:limit]

    def _set_aside(self, job_id: str) -> None:
        with self._lock:
            rows = self._rows()
            if job_id in rows:
                rows[job_id] = replace(rows[job_id], lease_until=None)

    def _save(self, save: Save) -> bool:
        try:
            return self._change(save.id, partial(lifecycle.save, save=save, lease=self.lease))
        except JobNotFoundError:
            return False

    def _forget(self, job_id: str) -> None:
        self._rows().pop(job_id)
        self._histories.pop(job_id, None)


def _entry(told: Told, now: float) -> HistoryEntry:
    at = datetime.fromtimestamp(now if told.at is None else told.at, UTC)
    return HistoryEntry(at, told.event, told.data)
