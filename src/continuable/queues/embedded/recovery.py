"""Jobs are taken from workers that are dead, or that give them up."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from continuable.core.interrupt import DIED, STOPPING
from continuable.core.options import DEFAULTS, JobOptions
from continuable.errors import ResumeLimitError
from continuable.model.states import State
from continuable.queues.embedded import history
from continuable.queues.embedded.statements import statement
from continuable.sqlite.database import Database

if TYPE_CHECKING:
    from continuable.core.definition import Definition

HELD_BY = statement("held_by")
TAKE_AWAY = statement("take_away")
WORKERS = statement("workers")

AFTER_REQUEST = {State.PAUSING: State.PAUSED, State.CANCELLING: State.CANCELLED}


@dataclass(frozen=True, slots=True)
class Recovered:
    """A job that was taken from its worker."""

    id: str
    name: str
    queue: str
    reason: str
    """`died` or `stopping`."""
    state: State
    """The state it is in now: `interrupted`, unless a request or too many deaths decided else."""
    description: str
    """`at 'process_records', cursor 51001`"""
    error: str | None
    """Why it has failed, if it has."""
    worker: str
    """Whose it was."""


class Recoveries:
    """The part of the job table that brings jobs back."""

    jobs: Mapping[str, Definition] | None = None
    """Those whose code is here: how often one may die and be resumed is an option of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def workers(self) -> list[str]:
        """The ids of all workers that hold jobs."""
        with self._database.reading() as connection:
            return [row[0] for row in connection.execute(WORKERS)]

    def recover(self, dead_workers: Iterable[str], reason: str = DIED) -> list[Recovered]:
        """Take all jobs from workers that have died; they may resume at once.

        A job that killed its worker `max_deaths` times in a row without progress has failed, and
        so has one that was resumed `max_resumptions` times already. `reason` is another one where
        the workers had said why they end with jobs in their hands.
        """
        return self._take_from(dead_workers, reason)

    def hand_back(self, worker: str, reason: str = STOPPING) -> list[Recovered]:
        """Give up the jobs of a worker that stops although they have not come to a checkpoint.

        They resume from their last saved progress, and whatever their threads still try to
        write is refused.
        """
        return self._take_from([worker], reason)

    def _take_from(self, workers: Iterable[str], reason: str) -> list[Recovered]:
        names = json.dumps(list(workers))
        with self._database.reading() as connection:
            if connection.execute(HELD_BY, {"workers": names}).fetchone() is None:
                return []
        now = self._database.clock()
        with self._database.transaction() as connection:
            held = [Held(*row) for row in connection.execute(HELD_BY, {"workers": names})]
            return [
                take_away(connection, job, reason, self._options_of(job.name), now) for job in held
            ]

    def _options_of(self, name: str) -> JobOptions:
        definition = self.jobs.get(name) if self.jobs is not None else None
        return DEFAULTS if definition is None else definition.options


@dataclass(frozen=True, slots=True)
class Held:
    """A row that a worker holds."""

    seq: int
    id: str
    name: str
    queue: str
    state: str
    deaths: int
    resumptions: int
    executions: int
    worker: str
    progress: str


def take_away(
    connection: sqlite3.Connection, job: Held, reason: str, options: JobOptions, now: float
) -> Recovered:
    """Take one job from its worker, within a transaction."""
    deaths = job.deaths + (reason == DIED)
    state = AFTER_REQUEST.get(State(job.state), State.INTERRUPTED)
    place = place_of(job.progress)
    error = None
    if state is State.INTERRUPTED and (limit := limit_reached(job, deaths, options)):
        state, error = State.FAILED, f"{limit}, last {place}"
    row = {
        "seq": job.seq,
        "state": state.value,
        "reason": reason,
        "error": error,
        "deaths": deaths,
        "now": now,
    }
    connection.execute(TAKE_AWAY, row)
    event = history.DIED if reason == DIED else history.INTERRUPTED
    told = {
        "reason": reason,
        "description": place,
        "execution": job.executions,
        "worker": job.worker,
        "state": state.value,
    }
    history.write(connection, job.seq, now, event, told)
    if error is not None:
        history.write(connection, job.seq, now, history.FAILED, {"error": error})
    return Recovered(job.id, job.name, job.queue, reason, state, place, error, job.worker)


def limit_reached(job: Held, deaths: int, options: JobOptions) -> str | None:
    """Why the job may not resume once more, in words; `None`: it may."""
    if deaths > job.deaths and deaths >= options.max_deaths:
        times = "once" if deaths == 1 else f"{deaths} times in a row"
        return f"Killed its worker {times} without progress"
    most = options.max_resumptions
    return None if most is None or job.resumptions < most else str(ResumeLimitError(most))


def place_of(progress: str) -> str:
    """Where a job is, in words: `at 'process_records', cursor 51001`."""
    try:
        document = json.loads(progress)
        current, completed = document.get("current"), document.get("completed")
        if current:
            return f"at {current[0]!r}, cursor {json.dumps(current[1])}"
        return f"after {completed[-1]!r}" if completed else "before its first step"
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return "at a place that cannot be read"
