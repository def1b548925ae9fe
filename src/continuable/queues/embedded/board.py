"""What people see of the jobs, and the clearing away of old ones."""

from __future__ import annotations

import builtins
import json
import sqlite3
from collections.abc import Collection
from datetime import UTC, datetime
from itertools import count
from typing import Any

from continuable.errors import JobNotFoundError
from continuable.model.info import HistoryEntry, JobInfo, JobResult
from continuable.model.states import State
from continuable.progress.protocol import Note
from continuable.queues.embedded import history
from continuable.queues.embedded.enqueueing import STATE_OF_JOB
from continuable.queues.embedded.statements import statement
from continuable.sqlite.connection import LOCK_WAIT
from continuable.sqlite.database import Database

COUNT = statement("count_jobs")
DISCARD = statement("discard_job")
ENDING = statement("ending_of_job")
FIND = statement("find_job")
HISTORY = statement("history_of_job")
NAMES = statement("names_of_unfinished")
NEWEST = statement("newest_jobs")
NEWEST_IN_STATE = statement("newest_jobs_in_state")
NEWEST_WAITING = statement("newest_waiting_jobs")
PRUNE = statement("prune_jobs")


class Board:
    """The part of the job table that people look at."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, job_id: str) -> JobInfo:
        """One job; `JobNotFoundError` where there is none."""
        with self._database.reading() as connection:
            return info_of(connection, job_id)

    def list(
        self,
        *,
        states: Collection[State] | None = None,
        queue: str | None = None,
        name: str | None = None,
        limit: int = 100,
    ) -> builtins.list[JobInfo]:
        """Jobs, the newest first; those of `states` only if given."""
        wanted = {"queue": queue, "name": name, "limit": limit}
        if states is None:
            with self._database.reading() as connection:
                return [info(row) for row in connection.execute(NEWEST, wanted)]
        # State by state, so that few failed jobs are found fast among a million completed ones.
        found: builtins.list[JobInfo] = []
        with self._database.reading() as connection:
            for state in set(states):
                sql = NEWEST_WAITING if state is State.WAITING else NEWEST_IN_STATE
                rows = connection.execute(sql, {**wanted, "state": state.value})
                found.extend(info(row) for row in rows)
        found.sort(key=lambda job: job.enqueued_at, reverse=True)
        return found[:limit]

    def history(self, job_id: str) -> builtins.list[HistoryEntry]:
        """What has happened to a job, oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(HISTORY, {"seq": seq_of(connection, job_id)}).fetchall()
        return [HistoryEntry(when(at), event, document(data)) for at, event, data in rows]

    def note(self, job_id: str, note: Note, timeout: float | None = None) -> None:
        """Add to a job's history, waiting `timeout` seconds for another's write lock."""
        wait = LOCK_WAIT if timeout is None else timeout
        with self._database.transaction(timeout=wait) as connection:
            seq = seq_of(connection, job_id)
            history.write_note(connection, seq, note)

    def counts(self) -> dict[State, int]:
        """How many jobs there are in each state that has any."""
        with self._database.reading() as connection:
            rows = connection.execute(COUNT).fetchall()
        return {State(state): count for state, count in rows if count}

    def names(self) -> builtins.list[str]:
        """The names of all jobs that are not finished."""
        with self._database.reading() as connection:
            return [row[0] for row in connection.execute(NAMES)]

    def result(self, job_id: str) -> JobResult:
        """How a job ended, as far as it has; `JobNotFoundError` where there is none."""
        with self._database.reading() as connection:
            row = connection.execute(ENDING, {"id": job_id}).fetchone()
        if row is None:
            raise JobNotFoundError(job_id)
        state, *rest = row
        return JobResult(State(state), *rest)

    def prune(self, older_than: float, *, failed: bool = False, parts: int | None = None) -> int:
        """Forget jobs that finished `older_than` seconds ago or earlier; how many there were.

        Those that have failed stay unless `failed`. Part by part, so that no worker waits long for
        the write lock; no more than so many `parts`.
        """
        row = {"before": self._database.clock() - older_than, "failed": failed}
        removed = 0
        for _ in count() if parts is None else range(parts):
            with self._database.transaction() as connection:
                gone = connection.execute(PRUNE, row).rowcount
            if gone == 0:
                break
            removed += gone
        return removed

    def discard(self, job_id: str) -> None:
        """Remove a job, whatever its state; an execution under way may write nothing more."""
        with self._database.transaction() as connection:
            if connection.execute(DISCARD, {"id": job_id}).rowcount == 0:
                raise JobNotFoundError(job_id)


def info_of(connection: sqlite3.Connection, job_id: str) -> JobInfo:
    """One job by its id; `JobNotFoundError` where there is none."""
    row = connection.execute(FIND, {"id": job_id}).fetchone()
    if row is None:
        raise JobNotFoundError(job_id)
    return info(row)


def info(row: tuple[Any, ...]) -> JobInfo:
    """A row of `find_job.sql` as people see it."""
    return JobInfo(
        id=row[0],
        name=row[1],
        queue=row[2],
        priority=row[3],
        state=State(row[4]),
        arguments=row[5],
        progress=document(row[6]),
        executions=row[7],
        resumptions=row[8],
        deaths=row[9],
        reason=row[10],
        error=row[11],
        traceback=row[12],
        longest_gap=row[13],
        worker=row[14],
        enqueued_at=when(row[15]),
        run_at=maybe_when(row[16]),
        started_at=maybe_when(row[17]),
        finished_at=maybe_when(row[18]),
        saved_at=maybe_when(row[19]),
    )


def document(text: str) -> dict[str, Any]:
    """A JSON object; a damaged one is shown as an empty one, for people must see the job."""
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def seq_of(connection: sqlite3.Connection, job_id: str) -> int:
    """The number of a job; `JobNotFoundError` where there is none."""
    found = connection.execute(STATE_OF_JOB, {"id": job_id}).fetchone()
    if found is None:
        raise JobNotFoundError(job_id)
    seq: int = found[0]
    return seq


def when(seconds: float) -> datetime:
    """A moment as people are told it."""
    return datetime.fromtimestamp(seconds, UTC)


def maybe_when(seconds: float | None) -> datetime | None:
    """A moment, where there is one."""
    return None if seconds is None else when(seconds)
