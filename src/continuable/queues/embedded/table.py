"""The job table: a progress store, in which workers find their next job."""

from __future__ import annotations

import builtins
import logging
import math
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from continuable.core.interrupt import DIED
from continuable.core.outcome import Completed
from continuable.errors import JobNotFoundError, QueueError, StoreError
from continuable.model.info import JobInfo
from continuable.model.payload import Enqueued, Enqueueing, JobRecord
from continuable.model.states import State
from continuable.progress import lifecycle
from continuable.progress.lifecycle import Told
from continuable.progress.protocol import Claim, Limits, Requested, Settled
from continuable.progress.row import Row, row_from
from continuable.progress.sql.dialects import Dialect
from continuable.progress.sqlite import SQLiteSession, SQLiteStore
from continuable.queues.embedded import claiming, enqueueing
from continuable.queues.embedded.claiming import Order, Queues
from continuable.queues.embedded.database import JobDatabase
from continuable.queues.embedded.liveness import dead_workers
from continuable.queues.embedded.statements import JOBS
from continuable.sqlite.connection import LOCK_WAIT
from continuable.worker.runner import RunResult

if TYPE_CHECKING:
    from continuable.core.definition import Definition

logger = logging.getLogger("continuable")

CLAIMABLE = frozenset({State.WAITING, State.INTERRUPTED, State.PAUSED})


class JobTable(SQLiteStore):
    """All jobs of one database file. May be shared by threads.

    A row is its own message, and no lease ends by itself: whether a worker is alive is known from
    its lock.
    """

    controls_every: ClassVar[float] = 0.1
    database: JobDatabase

    def __init__(self, database: JobDatabase) -> None:
        super().__init__(database, lease=math.inf)
        self._jobs: Mapping[str, Definition] = {}
        self._order = Order()

    def know(self, jobs: Mapping[str, Definition]) -> None:
        """Claim these jobs alone; how often one of them may die is an option of the job."""
        self._jobs = self._order.jobs = jobs

    @property
    def _dialect(self) -> Dialect:
        return JOBS

    # --- jobs come in

    def enqueue(
        self, items: Sequence[Enqueueing], connection: sqlite3.Connection | None = None
    ) -> builtins.list[Enqueued]:
        """Put all of `items` on the queue, or none: `enqueueing.enqueue`."""
        return enqueueing.enqueue(self.database, items, connection)

    # --- and go out

    def claim_next(self, worker: str, queues: Queues = None) -> Claim | None:
        """The next job, now this worker's; `None`: there is nothing to do."""
        with self.database.reading() as connection:
            # An idle worker asks again and again: it must not take the write lock each time.
            if not self._order.is_any_ready(connection, queues, self.database.clock()):
                return None
        with self._writing() as session:
            return self._order.claim(session.connection, worker, queues, session.now)

    def claim_job(self, worker: str, job_id: str) -> Claim | None:
        """One job by its id, also if it is delayed or paused; `None`: it cannot be claimed."""

        def claimed(row: Row, now: float, told: builtins.list[Told]) -> Claim | None:
            if row.state not in CLAIMABLE:
                return None
            row.state = State.INTERRUPTED
            answer = lifecycle.claim(
                row,
                now,
                told,
                record=row.record(),
                worker=worker,
                lease=self.lease,
                limits=Limits.of(self._jobs.get(row.name)),
                is_retry=False,
            )
            return answer if isinstance(answer, Claim) else None

        try:
            return self._change(job_id, claimed)
        except JobNotFoundError:
            return None

    def next_due(self) -> float | None:
        """When the next delayed job may start, in seconds since the epoch."""
        with self.database.reading() as connection:
            return claiming.next_due(connection)

    def is_any_pending(self, queues: Queues = None) -> bool:
        """Whether there is still work: jobs that are ready, running, or will resume by themselves.

        Jobs that were enqueued for later and have never started do not count.
        """
        with self.database.reading() as connection:
            return self._order.is_any_pending(connection, queues)

    def end(self, ran: RunResult, *, timeout: float = LOCK_WAIT) -> Settled:
        """Write how an execution ended, waiting `timeout` seconds for another's write lock."""
        with self._writing(timeout) as session:
            return self._ended(session, ran)

    def end_and_claim_next(
        self, ran: RunResult, queues: Queues = None, *, timeout: float = LOCK_WAIT
    ) -> Claim | None:
        """The same, and claim the next job of `queues` in one transaction."""
        with self._writing(timeout) as session:
            self._ended(session, ran)
            return self._order.claim(session.connection, ran.claimed.worker, queues, session.now)

    def _ended(self, session: SQLiteSession, ran: RunResult) -> Settled:
        claim, outcome, gap = ran.claimed, ran.outcome, ran.longest_gap
        if isinstance(outcome, Completed) and not ran.notes:
            values = self._to_complete(claim, outcome, gap)
            if self._run(session, "complete", **values).count:
                return Settled(State.COMPLETED)
        transition = self._to_settle(
            claim, outcome, longest_gap=gap, retry_in=ran.retry_in, notes=ran.notes
        )
        try:
            settled = self._changed(session, claim.id, transition, None)
        except JobNotFoundError:
            settled = Settled(None)
        if settled.state is None:
            logger.warning("Job %s was taken over by a newer execution", claim.id)
        return settled

    # --- workers end

    def workers(self) -> set[str]:
        """The ids of all workers that hold jobs."""
        return {worker for _, worker in self.holders()}

    def reclaim(self, workers: Iterable[str], reason: str = DIED) -> builtins.list[JobInfo]:
        """Take all jobs from workers that have ended: they may resume at once, elsewhere.

        What their threads still try to write is refused. `reason`: another one than their
        deaths, where the workers have said it.
        """
        return [
            job
            for worker in workers
            for job_id, _, _ in self.controls(worker)
            if (job := self._reclaim(job_id, worker, reason)) is not None
        ]

    def _reclaim(self, job_id: str, worker: str, reason: str) -> JobInfo | None:
        def taken(row: Row, now: float, told: builtins.list[Told]) -> JobInfo | None:
            if row.worker != worker:
                return None  # another worker was faster
            limits = Limits.of(self._jobs.get(row.name))
            lifecycle.mark_died(row, now, told, limits, reason)
            return row.info()

        try:
            return self._change(job_id, taken)
        except JobNotFoundError:
            return None
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - a damaged row has many
            self._tell_damaged(job_id, error)
            return None

    # --- for people

    def list(
        self,
        *,
        states: Collection[State] | None = None,
        queue: str | None = None,
        name: str | None = None,
        limit: int = 100,
    ) -> builtins.list[JobInfo]:
        """Jobs, the newest first."""
        wanted = {"queue": queue, "name": name, "limit": limit}
        with self._reading() as session:
            if states is None:
                rows = self._run(session, "newest_jobs", **wanted).rows
            else:
                # One by one, so that few failed jobs are found fast among a million completed.
                rows = [
                    row
                    for state in set(states)
                    for row in self._run(session, _newest(state), state=state, **wanted).rows
                ]
        found = self._infos((row[0], partial(row_from, row)) for row in rows)
        return sorted(found, key=lambda job: job.enqueued_at, reverse=True)[:limit]

    def names(self) -> builtins.list[str]:
        """The names of all jobs that are not finished."""
        with self._reading() as session:
            return [name for (name,) in self._run(session, "names_of_unfinished").rows]

    def request(self, job_id: str, verb: str, *, reason: str | None = None) -> Requested:
        """As of every store; `QueueError` where the job's unique key has gone to another job."""
        transition = partial(lifecycle.request, verb=verb, lease=self.lease, reason=reason)
        with self._writing() as session:
            try:
                requested = self._changed(session, job_id, transition, None)
            except sqlite3.IntegrityError as error:
                holder, key = self._run(session, "holder_of_key_of_job", id=job_id).rows[0]
                raise QueueError(
                    f"Cannot {verb} job {job_id!r}: the unfinished job {holder!r} has its unique "
                    f"key {key!r} now; let that one finish, or cancel it first"
                ) from error
        worker = requested.info.worker
        if worker is not None and (dead := dead_workers(self.database.path, [worker])):
            self.reclaim(dead)  # no worker comes to a checkpoint
            return Requested(self.find(job_id))
        return requested

    def confirm(self, record: JobRecord) -> None:
        """A row is its own message, which cannot be lost."""

    def discard(self, job_id: str) -> bool:
        """Remove a job in any state; an execution under way may write nothing more."""
        with self._writing() as session:
            if not self._run(session, "discard_job", id=job_id).count:
                return False
            self._run(session, "delete_history", id=job_id)
        return True

    def version(self) -> object:
        """Changes when another connection has written to the file."""
        return self.database.data_version()


def _newest(state: State) -> str:
    return "newest_waiting_jobs" if state is State.WAITING else "newest_jobs_in_state"
