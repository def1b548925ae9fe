"""Which job is next."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Collection, Sequence
from typing import Any

from continuable.progress.protocol import Claim
from continuable.progress.row import claim_of
from continuable.queues.embedded.statements import statement

IS_ANY_DUE = statement("is_any_due")
IS_PENDING = statement("is_pending")
NEXT_DUE = statement("next_due")
CLAIM = statement("claim")
NEXT_KNOWN = statement("next_known")
NEXT_OF_ANY = statement("next_of_any")
NEXT_OF_QUEUE = statement("next_of_queue")
NEXT_OF_QUEUES = statement("next_of_queues")
QUEUES_WITH_WORK = statement("queues_with_work")
PROMOTE_DUE = statement("promote_due")
RESTART_DELAYS = statement("restart_delays")

PROMOTION_INTERVAL = 0.02
"""Seconds in which a busy worker looks for due jobs once."""

Row = tuple[Any, ...]
"""The number of a job in the table, its id, and what a claim of it has."""
NAME = 2

Queues = Sequence[str] | None
"""The queues to take jobs from; `None`: all."""


class Order:
    """The order in which jobs are claimed: of the highest priority, the oldest."""

    jobs: Collection[str] | None = None
    """The names of the jobs whose code is here: no other is claimed. `None`: all."""
    _promoted_at = -math.inf

    def is_any_ready(self, connection: sqlite3.Connection, queues: Queues, now: float) -> bool:
        """Whether there may be a job to claim, without the write lock."""
        return bool(self._first(connection, queues)) or is_any_due(connection, now)

    def claim(
        self, connection: sqlite3.Connection, worker: str, queues: Queues, now: float
    ) -> Claim | None:
        """Make the next job `worker`'s, within a transaction; `None`: there is nothing to do."""
        found: Row | None = None
        # A busy worker looks for jobs that have come due now and then, not at each claim.
        if 0 <= now - self._promoted_at < PROMOTION_INTERVAL:
            found = self._first(connection, queues)
        if found is None:
            self._promoted_at = now
            promote(connection, now)
            found = self._first(connection, queues)
        if found is None:
            return None
        seq, job_id, *values = found
        connection.execute(CLAIM, {"seq": seq, "worker": worker, "now": now})
        claim = claim_of(job_id, worker, values)
        claim.executions += 1
        claim.fence += 1
        return claim

    def is_any_pending(self, connection: sqlite3.Connection, queues: Queues) -> bool:
        """Whether jobs are ready, running, or will resume by themselves."""
        return bool(connection.execute(IS_PENDING, self._wanted(queues)).fetchone()[0])

    def _first(self, connection: sqlite3.Connection, queues: Queues) -> Row | None:
        found = first_of(connection, queues)
        if found is None or self.jobs is None or found[NAME] in self.jobs:
            return found
        # Another release or another app shares the file: look past its jobs.
        known: Row | None = connection.execute(NEXT_KNOWN, self._wanted(queues)).fetchone()
        return known

    def _wanted(self, queues: Queues) -> dict[str, str | None]:
        """The queues and the names of jobs to look for, as statements take them; `None`: all."""
        return {
            "queues": None if queues is None else json.dumps(list(queues)),
            "names": None if self.jobs is None else json.dumps(list(self.jobs)),
        }


def first_of(connection: sqlite3.Connection, queues: Queues) -> Row | None:
    """The first of all that are ready."""
    if queues is None:
        # Usually there is work in one queue only, and that is found in half the time.
        first, last = connection.execute(QUEUES_WITH_WORK).fetchone()
        if first is None:
            return None
        queues = [first] if first == last else None
    if queues is None:
        found = connection.execute(NEXT_OF_ANY)
    elif len(queues) == 1:
        found = connection.execute(NEXT_OF_QUEUE, {"queue": queues[0]})
    else:
        found = connection.execute(NEXT_OF_QUEUES, {"queues": json.dumps(list(queues))})
    row: Row | None = found.fetchone()
    return row


def promote(connection: sqlite3.Connection, now: float) -> None:
    """Make ready what has come due, within a transaction."""
    if is_any_due(connection, now):
        connection.execute(RESTART_DELAYS, {"now": now})
        connection.execute(PROMOTE_DUE, {"now": now})


def is_any_due(connection: sqlite3.Connection, now: float) -> bool:
    """Whether the delay of any job is over, or was set by a clock that was set back since."""
    return bool(connection.execute(IS_ANY_DUE, {"now": now}).fetchone()[0])


def next_due(connection: sqlite3.Connection) -> float | None:
    """When the next delayed job may start, in seconds since the epoch."""
    due: float | None = connection.execute(NEXT_DUE).fetchone()[0]
    return due
