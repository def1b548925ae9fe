"""`SQLStore`: rows in a table; a subclass runs the statements."""

from __future__ import annotations

import builtins
import dataclasses
import gc
import json
from abc import abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar, Protocol, TypeVar

from continuable.core.outcome import Completed
from continuable.errors import (
    CheckpointError,
    JobNotFoundError,
    QueueError,
    StoreBusyError,
    StoreError,
)
from continuable.model.info import HistoryEntry, JobInfo
from continuable.model.payload import JobRecord
from continuable.model.states import State
from continuable.progress import lifecycle
from continuable.progress.lifecycle import Told
from continuable.progress.protocol import Claim, Note, Save
from continuable.progress.row import (
    DEFAULT_QUEUE,
    KNOWN_STATES,
    Row,
    claim_of,
    new_row,
    row_from,
    wanted_state,
)
from continuable.progress.rowstore import HISTORY, RowStore, Transition
from continuable.progress.sql.dialects import Dialect

A = TypeVar("A")

LOCK_WAITS = (0.25, 1.0, 5.0)
"""Seconds that each attempt of a change waits for a lock; after the last one it is given up."""

PART = 500
"""Jobs that are forgotten in one transaction."""
UNSENT_FOR = 5.0
"""Seconds that a process has to send what it has enqueued in a transaction, before workers do."""
SHORTEST_IDLE = 5.0
"""Seconds: a process that lives says nothing within a transaction for milliseconds at most."""

ADDED_AT_ONCE = 100
"""Rows that one statement inserts: databases have limits for its parameters."""

Parameters = Mapping[str, Any]


@dataclasses.dataclass(slots=True)  # not frozen: one is made for every statement
class Result:
    """What a statement gave."""

    rows: Sequence[Sequence[Any]]
    count: int
    """How many rows it found."""


class Session(Protocol):
    """Runs statements within one transaction."""

    def run(self, sql: str, parameters: Parameters) -> Result:
        """Run one; its parameters are written `:so`."""
        ...


class SQLStore(RowStore):
    """A `RowStore` on a database that its subclass can reach."""

    can_commit: ClassVar[bool] = True

    # --- what a subclass does

    @property
    @abstractmethod
    def _dialect(self) -> Dialect:
        """That of the database."""

    @abstractmethod
    def _writing(self, timeout: float | None = None) -> AbstractContextManager[Session]:
        """A transaction that writes, on a connection of the store's own.

        Raises `StoreError`; `StoreBusyError` after `timeout` seconds of waiting for a lock.
        """

    @abstractmethod
    def _reading(self) -> AbstractContextManager[Session]:
        """A transaction that only reads."""

    @abstractmethod
    def _joined(self, connection: Any, *, again: bool) -> AbstractContextManager[Session]:
        """The transaction that is open on the user's own connection; else `CheckpointError`."""

    @property
    def _idle_limit(self) -> float:
        """Seconds after which a server ends a transaction of a worker that is frozen.

        Its job's row would be locked for as long, and so be recovered by no other worker.
        """
        return max(self.lease, SHORTEST_IDLE)

    def add(self, records: Sequence[JobRecord]) -> None:
        with self._writing() as session:
            for first in range(0, len(records), ADDED_AT_ONCE):
                some = records[first : first + ADDED_AT_ONCE]
                if self._added_at_once(session, some):
                    continue
                for record in some:
                    self._add(session, record)

    def add_within(self, connection: Any, jobs: Sequence[tuple[JobRecord, float]]) -> None:
        with self._reading():
            pass  # the tables are there from now on, which a user's transaction must not make
        try:
            with self._joined(connection, again=False) as session:
                for record, wait in jobs:
                    self._add(session, record, wait=wait, unsent_for=UNSENT_FOR)
        except CheckpointError as error:
            raise QueueError(f"A job cannot join this transaction: {error}") from None

    def withdraw(self, job_id: str) -> None:
        with self._writing() as session:
            if self._run(session, "withdraw", id=job_id).count:
                self._run(session, "delete_history", id=job_id)

    # --- what running jobs write and hear

    def save(self, saves: Iterable[Save], timeout: float | None = None) -> builtins.list[str]:
        with self._writing(timeout) as session:
            return [save.id for save in saves if not self._saved(session, save)]

    def commit(self, connection: Any, save: Save, *, again: bool = False) -> bool:
        with self._joined(connection, again=again) as session:
            if self._saved(session, save, "commit"):
                return True
            is_there = bool(self._run(session, "has_row", id=save.id).rows)
        if not is_there or self._is_held(save):
            raise CheckpointError(
                "The database of this connection does not hold the progress of the job: "
                f"{self!r} does. Only data in that database can be committed with it"
            )
        return False

    def is_written(self, save: Save) -> bool:
        with self._reading() as session:
            sequence = self._sequence_of(session, save)
            return sequence is not None and sequence >= save.sequence

    def note(self, job_id: str, note: Note, timeout: float | None = None) -> None:
        with self._writing(timeout) as session:
            if not self._add_history(session, job_id, note.at, note.event, note.data):
                raise JobNotFoundError(job_id)

    def controls(self, worker: str) -> builtins.list[tuple[str, int, State]]:
        with self._reading() as session:
            rows = self._run(session, "of_worker", worker=worker).rows
            return [(job_id, fence, wanted_state(state)) for job_id, fence, state in rows]

    def renew(self, worker: str) -> None:
        with self._writing() as session:
            for (job_id,) in self._run(session, "to_renew", worker=worker).rows:
                self._run(session, "renew", id=job_id, worker=worker, lease=self.lease)

    def holders(self) -> builtins.list[tuple[str, str]]:
        with self._reading() as session:
            return [(job_id, worker) for job_id, worker in self._run(session, "held").rows]

    # --- what people see

    def list(
        self,
        *,
        states: Collection[State] | None = None,
        queue: str | None = None,
        name: str | None = None,
        limit: int = 100,
    ) -> builtins.list[JobInfo]:
        conditions: builtins.list[str] = []
        parameters: dict[str, Any] = {"limit": limit}
        if states is not None:
            marks = {f"state{number}": state.value for number, state in enumerate(set(states))}
            conditions.append(f"state IN ({', '.join(f':{mark}' for mark in marks) or 'NULL'})")
            parameters |= marks
        if queue is not None:
            conditions.append(f"coalesce(queue, '{DEFAULT_QUEUE}') = :queue")
            parameters["queue"] = queue
        if name is not None:
            conditions.append("name = :name")
            parameters["name"] = name
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        order = " ORDER BY enqueued_at DESC, id DESC LIMIT :limit"
        with self._reading() as session:
            rows = session.run(self._dialect.statement("rows") + where + order, parameters).rows
        return builtins.list(self._infos((row[0], partial(row_from, row)) for row in rows))

    def counts(self) -> dict[State, int]:
        with self._reading() as session:
            rows = self._run(session, "count_rows").rows
        return {State(state): number for state, number in rows if number and state in KNOWN_STATES}

    def history(self, job_id: str) -> builtins.list[HistoryEntry]:
        with self._reading() as session:
            if not self._run(session, "has_row", id=job_id).rows:
                raise JobNotFoundError(job_id)
            rows = self._run(session, "history_of_row", id=job_id).rows
            return [
                HistoryEntry(datetime.fromtimestamp(at, UTC), event, json.loads(data))
                for at, event, data in rows
            ]

    def discard(self, job_id: str) -> bool:
        with self._writing() as session:
            if not self._run(session, "delete_row", id=job_id, seconds=0.0, failed=1).count:
                return False
            self._run(session, "delete_history", id=job_id)
        return True

    def prune(self, older_than: float, *, failed: bool = False, limit: int | None = None) -> int:
        """Forget finished jobs, part by part: no worker waits long for a lock."""
        removed = 0
        while limit is None or removed < limit:
            part = PART if limit is None else min(PART, limit - removed)
            with self._writing() as session:
                age = {"seconds": older_than, "failed": int(failed)}
                found = self._run(session, "finished_before", **age, part=part).rows
                gone = [
                    job_id
                    for (job_id,) in found
                    if self._run(session, "delete_row", id=job_id, **age).count
                ]
                for job_id in gone:
                    self._run(session, "delete_history", id=job_id)
            removed += len(gone)
            if not gone:  # another worker is at it
                break
        return removed

    # --- rows

    def _claim_at_once(self, record: JobRecord, worker: str) -> Claim | None:
        if not self._dialect.changes_at_once:
            return None
        values = self._to_claim(record, worker)
        try:
            with self._writing(LOCK_WAITS[0]) as session:
                rows = self._run(session, "claim", **values).rows
        except StoreError:  # busy, or a connection that has been cut
            return None
        return claim_of(record.id, worker, rows[0]) if rows else None

    def _complete_at_once(self, claim: Claim, outcome: Completed, longest_gap: float) -> bool:
        if not self._dialect.changes_at_once:
            return False
        values = self._to_complete(claim, outcome, longest_gap)
        try:
            with self._writing(LOCK_WAITS[0]) as session:
                return self._run(session, "complete", **values).count == 1
        except StoreError:  # as above
            return False

    def _add(
        self,
        session: Session,
        record: JobRecord,
        *,
        wait: float = 0.0,
        unsent_for: float | None = None,
    ) -> None:
        transition = partial(lifecycle.add, record=record, wait=wait, unsent_for=unsent_for)
        self._changed(session, record.id, transition, record)

    def _added_at_once(self, session: Session, records: Sequence[JobRecord]) -> bool:
        """Whether all were new; else those that were are there now."""
        if not self._dialect.changes_at_once:
            return False
        rows = [dataclasses.asdict(new_row(record, 0.0)) for record in records]
        values = {f"{k}_{number}": v for number, row in enumerate(rows) for k, v in row.items()}
        return session.run(self._dialect.insertion(len(rows)), values).count == len(rows)

    def _to_claim(self, record: JobRecord, worker: str) -> dict[str, Any]:
        return {
            "id": record.id,
            "worker": worker,
            "lease": self.lease,
            "delivery": record.delivery,
            "executions": record.executions,
            "envelope": record.envelope,
        }

    def _to_complete(self, claim: Claim, outcome: Completed, longest_gap: float) -> dict[str, Any]:
        return {
            "id": claim.id,
            "fence": claim.fence,
            "worker": claim.worker,
            "progress": outcome.progress,
            "longest_gap": longest_gap,
            "result": outcome.result,
        }

    def _change(
        self,
        job_id: str,
        transition: Transition[A],
        *,
        record: JobRecord | None = None,
        is_retried: bool = False,
    ) -> A:
        *others, longest = LOCK_WAITS[:1] * 2 if is_retried else LOCK_WAITS
        for wait in others:
            try:
                with self._writing(wait) as session:
                    return self._changed(session, job_id, transition, record)
            except StoreBusyError:
                # A circle may keep a connection of the job's own alive, and its transaction open.
                gc.collect()
        with self._writing(longest) as session:
            return self._changed(session, job_id, transition, record)

    def _changed(
        self,
        session: Session,
        job_id: str,
        transition: Transition[A],
        record: JobRecord | None,
    ) -> A:
        if record is not None:
            self._run(session, "insert_row", **dataclasses.asdict(new_row(record, 0.0)))
        rows = self._run(session, "row_to_change", id=job_id).rows
        if not rows:
            raise JobNotFoundError(job_id)
        now, *values = rows[0]
        row, before = row_from(values), row_from(values)
        told: list[Told] = []
        answer = transition(row, now, told)
        if row != before:
            self._run(session, "update_row", **dataclasses.asdict(row))
        for entry in told:
            data = json.dumps(entry.data, separators=(",", ":"), default=str)
            at = now if entry.at is None else entry.at
            self._add_history(session, job_id, at, entry.event, data)
        return answer

    def _read(self, job_id: str) -> Row:
        with self._reading() as session:
            sql = self._dialect.statement("rows") + " WHERE id = :id"
            rows = session.run(sql, {"id": job_id}).rows
        if not rows:
            raise JobNotFoundError(job_id)
        return row_from(rows[0])

    def _set_aside(self, job_id: str) -> None:
        with self._writing() as session:
            self._run(session, "set_aside", id=job_id)

    def _expired(self, limit: int) -> builtins.list[str]:
        with self._reading() as session:
            return [row[0] for row in self._run(session, "expired", limit=limit).rows]

    def _is_held(self, save: Save) -> bool:
        """Whether the claim of `save` holds in this store; False where the store is away."""
        try:
            with self._reading() as session:
                return self._sequence_of(session, save) is not None
        except StoreError:
            return False

    def _sequence_of(self, session: Session, save: Save) -> int | None:
        """The number of the newest save of the same claim; `None`: the claim does not hold."""
        proof = {"id": save.id, "fence": save.fence, "worker": save.worker}
        rows = self._run(session, "sequence_of_claim", **proof).rows
        return rows[0][0] if rows else None

    def _saved(self, session: Session, save: Save, statement: str = "save") -> bool:
        parameters = {
            "id": save.id,
            "fence": save.fence,
            "worker": save.worker,
            "sequence": save.sequence,
            "document": save.document,
            "made_progress": int(save.made_progress),
            "lease": self.lease,
        }
        return session.run(self._dialect.statement(statement), parameters).count == 1

    def _add_history(self, session: Session, job_id: str, at: float, event: str, data: str) -> bool:
        added = self._run(session, "add_history", id=job_id, at=at, event=event, data=data)
        last = self._run(session, "oldest_history_to_keep", id=job_id, keep=HISTORY).rows
        if last:
            self._run(session, "trim_history", id=job_id, entry=last[0][0])
        return added.count == 1

    def _run(self, session: Session, statement: str, /, **parameters: Any) -> Result:
        return session.run(self._dialect.statement(statement), parameters)
