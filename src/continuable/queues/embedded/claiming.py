"""Jobs go out: which is next, and making it this worker's own."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from continuable.errors import DeserializationError
from continuable.model.payload import JobRecord
from continuable.queues.embedded.statements import statement
from continuable.sqlite.database import Database

if TYPE_CHECKING:
    from continuable.core.definition import Definition

CLAIM = statement("claim")
CLAIMABLE_JOB = statement("claimable_job")
IS_ANY_DUE = statement("is_any_due")
IS_PENDING = statement("is_pending")
NEXT_DUE = statement("next_due")
NEXT_KNOWN = statement("next_known")
NEXT_OF_ANY = statement("next_of_any")
NEXT_OF_QUEUE = statement("next_of_queue")
NEXT_OF_QUEUES = statement("next_of_queues")
QUEUES_WITH_WORK = statement("queues_with_work")
PROMOTE_DUE = statement("promote_due")
RELEASE = statement("release")
RESTART_DELAYS = statement("restart_delays")

PROMOTION_INTERVAL = 0.02
"""Seconds in which a busy worker looks for due jobs once."""

NO_PROGRESS = "{}"

Queues = Sequence[str] | None
"""The queues to take jobs from; `None`: all."""


# Not frozen: one is made for every job, and freezing would double what that costs.
@dataclass(slots=True, eq=False)
class Claimed:
    """A job that this worker may run: nobody else can until the claim ends or is taken away."""

    seq: int
    id: str
    name: str
    queue: str
    priority: int
    worker: str
    fence: int
    """The number of the claim: a higher one means that it has been taken away."""
    executions: int
    """Including this one."""
    resumptions: int
    failures: int
    reason: str | None
    """Why it was interrupted last."""
    started_at: float
    arguments: str
    progress: str

    def record(self) -> JobRecord:
        """The job as plain data; `DeserializationError` where its progress is damaged."""
        progress = {} if self.progress == NO_PROGRESS else self._read_progress()
        return JobRecord(
            id=self.id,
            name=self.name,
            arguments=self.arguments,
            queue=self.queue,
            priority=self.priority,
            executions=self.executions,
            resumptions=self.resumptions,
            progress=progress,
        )

    def identity(self) -> JobRecord:
        """What can be known of the job, however damaged its row is."""
        return JobRecord(
            id=self.id,
            name=self.name,
            queue=self.queue,
            executions=self.executions,
            resumptions=self.resumptions,
        )

    def _read_progress(self) -> dict[str, Any]:
        try:
            progress = json.loads(self.progress)
            if isinstance(progress, dict):
                return progress
            raise TypeError("it is of another shape")
        except (ValueError, TypeError, RecursionError) as error:
            raise DeserializationError(
                f"The progress of job {self.id!r} cannot be read: {self.progress[:200]!r}. Its "
                f"row was damaged, or written by something else; restart the job or discard it"
            ) from error


class Claims:
    """The part of the job table that hands jobs to workers."""

    jobs: Mapping[str, Definition] | None = None
    """The jobs whose code is here: no other is claimed. `None`: all."""
    _promoted_at = -math.inf

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, worker: str, queues: Queues = None) -> Claimed | None:
        """The next job, now this worker's; `None`: there is nothing to do."""
        now = self._database.clock()
        with self._database.reading() as connection:
            # An idle worker asks again and again: it must not take the write lock each time.
            if not self._next(connection, queues) and not is_any_due(connection, now):
                return None
        with self._database.transaction() as connection:
            return self._claim_within(connection, worker, queues, now)

    def claim_job(self, worker: str, job_id: str) -> Claimed | None:
        """One job by its id, also if it is delayed or paused; `None`: it cannot be claimed."""
        with self._database.transaction() as connection:
            row = connection.execute(CLAIMABLE_JOB, {"id": job_id}).fetchone()
            return row and take(connection, row, worker, self._database.clock())

    def release(self, claimed: Claimed) -> None:
        """Give back what was claimed and never started, as if it had not been."""
        now = self._database.clock()
        row = {"seq": claimed.seq, "fence": claimed.fence, "worker": claimed.worker, "now": now}
        with self._database.transaction() as connection:
            connection.execute(RELEASE, row)

    def next_due(self) -> float | None:
        """When the next delayed job may start, in seconds since the epoch."""
        with self._database.reading() as connection:
            due: float | None = connection.execute(NEXT_DUE).fetchone()[0]
            return due

    def pending(self, queues: Queues = None) -> bool:
        """Whether there is still work: jobs that are ready, running, or will resume by themselves.

        Jobs that were enqueued for later and have never started do not count.
        """
        with self._database.reading() as connection:
            return bool(connection.execute(IS_PENDING, self._wanted(queues)).fetchone()[0])

    def _claim_within(
        self, connection: sqlite3.Connection, worker: str, queues: Queues, now: float
    ) -> Claimed | None:
        """Claim the next job within a transaction, if there is one."""
        row: Row | None = None
        # A busy worker looks for jobs that have come due now and then, not at each claim.
        if 0 <= now - self._promoted_at < PROMOTION_INTERVAL:
            row = self._next(connection, queues)
        if row is None:
            self._promoted_at = now
            promote(connection, now)
            row = self._next(connection, queues)
        return None if row is None else take(connection, row, worker, now)

    def _next(self, connection: sqlite3.Connection, queues: Queues) -> Row | None:
        """The job to run next, of those whose code is here."""
        row = find_next(connection, queues)
        if row is None or self.jobs is None or row[NAME] in self.jobs:
            return row
        # Another release or another app shares the file: look past its jobs.
        known: Row | None = connection.execute(NEXT_KNOWN, self._wanted(queues)).fetchone()
        return known

    def _wanted(self, queues: Queues) -> dict[str, str | None]:
        """The queues and the names of jobs to look for, as statements take them; `None`: all."""
        return {
            "queues": None if queues is None else json.dumps(list(queues)),
            "names": None if self.jobs is None else json.dumps(list(self.jobs)),
        }


Row = tuple[Any, ...]
NAME = 2
"""The column of a row that has the name of the job."""


def find_next(connection: sqlite3.Connection, queues: Queues) -> Row | None:
    """The job to run next: of the highest priority, the oldest."""
    if queues is None:
        # Usually there is work in one queue only, and that is found in half the time.
        first, last = connection.execute(QUEUES_WITH_WORK).fetchone()
        if first is None:
            return None
        if first == last:
            found = connection.execute(NEXT_OF_QUEUE, {"queue": first})
        else:
            found = connection.execute(NEXT_OF_ANY)
    elif len(queues) == 1:
        found = connection.execute(NEXT_OF_QUEUE, {"queue": queues[0]})
    else:
        found = connection.execute(NEXT_OF_QUEUES, {"queues": json.dumps(list(queues))})
    row: Row | None = found.fetchone()
    return row


def take(connection: sqlite3.Connection, row: Row, worker: str, now: float) -> Claimed:
    """Make the job that was found this worker's, within the same transaction."""
    seq, id, name, queue, priority, fence, executions, resumptions, failures, *rest = row  # noqa: A001
    reason, started_at, arguments, progress = rest
    claimed = Claimed(
        seq,
        id,
        name,
        queue,
        priority,
        worker,
        fence + 1,
        executions + 1,
        resumptions,
        failures,
        reason,
        now if started_at is None else started_at,
        arguments,
        progress,
    )
    connection.execute(
        CLAIM,
        {
            "seq": seq,
            "worker": worker,
            "fence": claimed.fence,
            "executions": claimed.executions,
            "started_at": claimed.started_at,
        },
    )
    return claimed


def promote(connection: sqlite3.Connection, now: float) -> None:
    """Make ready what has come due, within a transaction."""
    if is_any_due(connection, now):
        connection.execute(RESTART_DELAYS, {"now": now})
        connection.execute(PROMOTE_DUE, {"now": now})


def is_any_due(connection: sqlite3.Connection, now: float) -> bool:
    """Whether the delay of any job is over, or was set by a clock that was set back since."""
    return bool(connection.execute(IS_ANY_DUE, {"now": now}).fetchone()[0])
