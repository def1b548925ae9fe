"""The rows of Procrastinate that carry our jobs."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import procrastinate
import psycopg
import sqlalchemy as sa
from procrastinate import exceptions, jobs, manager

from continuable.errors import SerializationError, StoreError
from continuable.model.payload import JobRecord
from continuable.queues.procrastinate.messages import NATIVE, RESERVED, task_arguments

# Two waiting jobs may not have the same queueing lock: the one that comes back goes without.
_QUEUEING_LOCK = """
    queueing_lock = CASE WHEN EXISTS (
        SELECT FROM procrastinate_jobs AS other
        WHERE other.queueing_lock = job.queueing_lock AND other.status = 'todo'
        AND other.id <> job.id
    ) THEN NULL ELSE queueing_lock END
"""

# A worker that others take for dead has no id any more: who was nobody's then is still its.
HELD = "id = :id AND status = 'doing' AND (worker_id = :worker OR worker_id IS NULL)"

# Procrastinate counts an attempt whenever a job comes back, and this one is none.
COME_BACK = f"""
    UPDATE procrastinate_jobs AS job
    SET args = COALESCE(CAST(:args AS jsonb), args), attempts = attempts - 1, {_QUEUEING_LOCK}
    WHERE {HELD}
    RETURNING abort_requested
"""  # noqa: S608 - nothing of a user's

PUT_BACK = f"""
    WITH put_back AS (
        UPDATE procrastinate_jobs AS job
        SET status = 'todo', abort_requested = false, attempts = GREATEST(attempts, 0),
            args = COALESCE(CAST(:args AS jsonb), args),
            queue_name = COALESCE(:queue, queue_name), priority = COALESCE(:priority, priority),
            scheduled_at = now() + make_interval(secs => :wait), {_QUEUEING_LOCK}
        WHERE id = :id
        RETURNING queue_name,
            json_build_object('type', 'job_inserted', 'job_id', id)::text AS message
    )
    SELECT pg_notify('procrastinate_queue_v1#' || queue_name, message),
        pg_notify('procrastinate_any_queue_v1', message)
    FROM put_back
"""  # noqa: S608 - as above

IS_HELD = f"SELECT FROM procrastinate_jobs WHERE {HELD}"

# The id of our job. One that was deferred by Procrastinate's own means has the number of its row.
OWN_ID = f"COALESCE(args -> '{RESERVED}' ->> 'id', '{NATIVE}' || id)"

_FIND = f"""
    SELECT id, status::text, abort_requested, lock, status = 'doing' AND EXISTS (
        SELECT FROM procrastinate_events AS event WHERE event.job_id = procrastinate_jobs.id
        AND event.type = 'started' AND event.at > now() - interval '1 second'
    ) FROM procrastinate_jobs
    WHERE task_name = :name
    AND {OWN_ID} = :id
"""  # noqa: S608 - as above
FIND_BY_NUMBER = _FIND + "AND id = :number FOR UPDATE"
# There is an index for those that are not over, which are few.
FIND_BY_ID = _FIND + "AND status IN ('todo', 'doing') ORDER BY id DESC LIMIT 1 FOR UPDATE"

STALLED = """
    SELECT job.id, job.queue_name, job.task_name, job.args, job.abort_requested
    FROM procrastinate_jobs AS job
    LEFT JOIN procrastinate_workers AS worker ON worker.id = job.worker_id
    WHERE job.status = 'doing' AND job.task_name IN :names AND (
        worker.id IS NULL OR worker.last_heartbeat < now() - make_interval(secs => :seconds)
    )
    FOR UPDATE OF job SKIP LOCKED
"""

HAVE_ROWS = f"""
    SELECT {OWN_ID} FROM procrastinate_jobs WHERE status IN ('todo', 'doing') AND {OWN_ID} IN :ids
"""  # noqa: S608 - as above

LIVING = """
    SELECT id FROM procrastinate_workers
    WHERE last_heartbeat > now() - make_interval(secs => :seconds)
"""

ABORT = "UPDATE procrastinate_jobs SET status = 'aborted', abort_requested = false WHERE id = :id"


@dataclass(frozen=True, slots=True)
class Row:
    """The row of a job, locked until the transaction ends."""

    connection: sa.Connection
    id: int
    status: str
    is_abort_requested: bool
    lock: str | None = None
    was_just_fetched: bool = False
    """Whether a worker may be about to claim it."""

    @property
    def is_running(self) -> bool:
        """Whether a worker has it."""
        return self.status == "doing"

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody wants no more of it, by Procrastinate's own means."""
        return self.is_abort_requested or self.status in {"cancelled", "aborted"}

    def put_back(self, record: JobRecord | None = None, wait: float = 0.0) -> None:
        """Have it fetched again, also from another worker, with what `record` says, if given."""
        values = {
            "id": self.id,
            "args": _arguments(record),
            "queue": record and record.queue,
            "priority": record and record.priority,
            "wait": wait,
        }
        self.connection.execute(sa.text(PUT_BACK), values)

    def abort(self) -> None:
        """End it, since its worker cannot."""
        self.connection.execute(sa.text(ABORT), {"id": self.id})


class JobRows:
    """What is done to them on connections of our own.

    Procrastinate's belong to the event loop of a worker, and this is called from any thread.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._manager = manager.JobManager(procrastinate.SyncPsycopgConnector())

    def insert(self, new: list[jobs.Job]) -> None:
        """Defer jobs, all of them or none, in one statement.

        Raises `AlreadyEnqueued` where a queueing lock is taken.
        """
        with self._connected() as connection:
            self._manager.batch_defer_jobs(new, connection.connection.driver_connection)

    def come_back(self, job: jobs.Job, record: JobRecord | None) -> bool | None:
        """Make ready the row that its worker is about to put back, by our word.

        Whether an abort was asked for meanwhile; `None`: the row is not its worker's any more.
        """
        with self._connected() as connection:
            values = {"id": job.id, "worker": job.worker_id, "args": _arguments(record)}
            row = connection.execute(sa.text(COME_BACK), values).one_or_none()
            return None if row is None else bool(row[0])

    def is_held(self, job: jobs.Job) -> bool:
        """Whether the row is still its worker's."""
        with self._connected() as connection:
            values = {"id": job.id, "worker": job.worker_id}
            return connection.execute(sa.text(IS_HELD), values).first() is not None

    @contextmanager
    def found(self, record: JobRecord) -> Iterator[Row | None]:
        """The row of a job, locked; `None`: it has none any more."""
        with self._connected() as connection:
            values = {"id": record.id, "name": record.name}
            row = None
            if record.envelope is not None:
                found = values | {"number": int(record.envelope)}
                row = connection.execute(sa.text(FIND_BY_NUMBER), found).one_or_none()
            if row is None:
                row = connection.execute(sa.text(FIND_BY_ID), values).one_or_none()
            yield None if row is None else Row(connection, *row)

    def missing(self, job_ids: Sequence[str]) -> list[str]:
        """The jobs without a row that is fetched, or will be."""
        have_rows = sa.text(HAVE_ROWS).bindparams(sa.bindparam("ids", expanding=True))
        with self._connected() as connection:
            found = set(connection.execute(have_rows, {"ids": list(job_ids)}).scalars())
        return [job_id for job_id in job_ids if job_id not in found]

    def living_workers(self, seconds: float) -> list[int]:
        """The numbers of the workers with a sign of life within so many seconds."""
        with self._connected() as connection:
            return list(connection.execute(sa.text(LIVING), {"seconds": seconds}).scalars())

    def sweep(
        self, names: Collection[str], seconds: float, is_running: Callable[[jobs.Job], bool]
    ) -> list[jobs.Job]:
        """Put back what the workers have left that gave no sign of life for so many seconds.

        Those that somebody wants to abort end instead, and are given back.
        """
        aborted = []
        with self._connected() as connection:
            stalled = sa.text(STALLED).bindparams(sa.bindparam("names", expanding=True))
            rows = connection.execute(stalled, {"names": list(names), "seconds": seconds}).all()
            for number, queue, name, arguments, is_abort_requested in rows:
                job = jobs.Job(
                    id=number,
                    queue=queue,
                    task_name=name,
                    task_kwargs=arguments,
                    lock=None,
                    queueing_lock=None,
                )
                if is_running(job):
                    continue
                row = Row(connection, number, "doing", is_abort_requested)
                if row.is_cancelled:
                    row.abort()
                    aborted.append(job)
                else:
                    row.put_back()
        return aborted

    @contextmanager
    def _connected(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except (sa.exc.SQLAlchemyError, exceptions.ConnectorException) as error:
            if isinstance(error, exceptions.UniqueViolation):
                raise
            cause = getattr(error, "orig", None) or error.__cause__ or error
            if isinstance(cause, psycopg.DataError):
                raise SerializationError(_refusal(cause)) from error
            raise StoreError(f"Procrastinate's database failed: {cause}") from error


def _refusal(error: psycopg.DataError) -> str:
    said = filter(None, (error.diag.message_primary, error.diag.message_detail))
    return (
        f"PostgreSQL cannot hold what a job's row should say ({' '.join(said)}). Text with the "
        f"character NUL or with lone surrogates can be handed over as bytes"
    )


def _arguments(record: JobRecord | None) -> str | None:
    return None if record is None else json.dumps(task_arguments(record))
