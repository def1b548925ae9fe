"""Which job is next."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from continuable.queues.embedded.statements import statement

IS_ANY_DUE = statement("is_any_due")
IS_PENDING = statement("is_pending")
NEXT_DUE = statement("next_due")
NEXT_KNOWN = statement("next_known")
NEXT_OF_ANY = statement("next_of_any")
NEXT_OF_QUEUE = statement("next_of_queue")
NEXT_OF_QUEUES = statement("next_of_queues")
QUEUES_WITH_WORK = statement("queues_with_work")
PROMOTE_DUE = statement("promote_due")
RESTART_DELAYS = statement("restart_delays")

PROMOTION_INTERVAL = 0.02
"""Seconds in which a busy worker looks for due jobs once."""

Queues = Sequence[str] | None
"""The queues to take jobs from; `None`: all."""


@dataclass(slots=True)
class Next:
    """The job to run next."""

    id: str
    name: str
    delivery: int
    executions: int


class Order:
    """The order in which jobs are claimed: of the highest priority, the oldest."""

    jobs: Collection[str] | None = None
    """The names of the jobs whose code is here: no other is claimed. `None`: all."""
    _promoted_at = -math.inf

    def is_any_ready(self, connection: sqlite3.Connection, queues: Queues, now: float) -> bool:
        """Whether there may be a job to claim, without the write lock."""
        return bool(self._first(connection, queues)) or is_any_due(connection, now)

    def next(self, connection: sqlite3.Connection, queues: Queues, now: float) -> Next | None:
        """The job to run next, within a transaction that writes."""
        found: Next | None = None
        # A busy worker looks for jobs that have come due now and then, not at each claim.
        if 0 <= now - self._promoted_at < PROMOTION_INTERVAL:
            found = self._first(connection, queues)
        if found is None:
            self._promoted_at = now
            promote(connection, now)
            found = self._first(connection, queues)
        return found

    def is_any_pending(self, connection: sqlite3.Connection, queues: Queues) -> bool:
        """Whether jobs are ready, running, or will resume by themselves."""
        return bool(connection.execute(IS_PENDING, self._wanted(queues)).fetchone()[0])

    def _first(self, connection: sqlite3.Connection, queues: Queues) -> Next | None:
        found = first_of(connection, queues)
        if found is None or self.jobs is None or found.name in self.jobs:
            return found
        # Another release or another app shares the file: look past its jobs.
        return _next(connection.execute(NEXT_KNOWN, self._wanted(queues)))

    def _wanted(self, queues: Queues) -> dict[str, str | None]:
        """The queues and the names of jobs to look for, as statements take them; `None`: all."""
        return {
            "queues": None if queues is None else json.dumps(list(queues)),
            "names": None if self.jobs is None else json.dumps(list(self.jobs)),
        }


def first_of(connection: sqlite3.Connection, queues: Queues) -> Next | None:
    """The first of those that are ready, whatever their names."""
    if queues is None:
        # Usually there is work in one queue only, and that is found in half the time.
        first, last = connection.execute(QUEUES_WITH_WORK).fetchone()
        if first is None:
            return None
        if first != last:
            return _next(connection.execute(NEXT_OF_ANY))
        queues = [first]
    if len(queues) == 1:
        return _next(connection.execute(NEXT_OF_QUEUE, {"queue": queues[0]}))
    return _next(connection.execute(NEXT_OF_QUEUES, {"queues": json.dumps(list(queues))}))


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


def _next(found: sqlite3.Cursor) -> Next | None:
    row = found.fetchone()
    return None if row is None else Next(*row)
