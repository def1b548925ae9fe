"""What people ask of a job: pause, resume, cancel, retry, restart."""

from __future__ import annotations

import sqlite3

from continuable.errors import JobNotFoundError, QueueError
from continuable.events.requests import tell_request
from continuable.events.stream import EventStream
from continuable.model.info import JobInfo
from continuable.model.states import State, requested
from continuable.queues.embedded import history
from continuable.queues.embedded.board import info_of
from continuable.queues.embedded.enqueueing import HOLDER_OF_KEY, STATE_OF_JOB
from continuable.queues.embedded.liveness import dead_workers
from continuable.queues.embedded.recovery import Recoveries
from continuable.queues.embedded.statements import statement
from continuable.queues.embedded.wakeup import ring

REQUEST = statement("request")
STATEMENTS = {
    "pause": REQUEST,
    "resume": REQUEST,
    "cancel": REQUEST,
    "retry": statement("retry"),
    "restart": statement("restart"),
}
EVENTS = {"resume": "job.resumed", "retry": "job.retried", "restart": "job.restarted"}


class Requests(Recoveries):
    """The part of the job table that takes requests."""

    events: EventStream | None = None
    """Those of the app."""

    def request(self, job_id: str, verb: str) -> JobInfo:
        """Do `verb` to a job, or have its worker do it at the next checkpoint.

        Raises:
            JobNotFoundError: There is no such job.
            JobStateError: It is not in a state that allows it.
            QueueError: Its unique key has gone to another job.
        """
        with self._database.transaction() as connection:
            before, worker = apply(connection, job_id, verb, self._database.clock())
        if worker is not None and (dead := dead_workers(self._database.path, [worker])):
            # Nobody is there to come to a checkpoint.
            self.recover(dead)
        if verb not in {"pause", "cancel"}:
            ring(self._database.path)
        with self._database.reading() as connection:
            job = info_of(connection, job_id)
        if self.events is not None:
            tell_request(self.events, verb, before, job)
        return job


def apply(
    connection: sqlite3.Connection, job_id: str, verb: str, now: float
) -> tuple[State, str | None]:
    """Write what `verb` changes, within a transaction.

    Returns the state before, and the worker that must hear of it, if any.
    """
    found = connection.execute(STATE_OF_JOB, {"id": job_id}).fetchone()
    if found is None:
        raise JobNotFoundError(job_id)
    seq, before, worker, key = found
    state = requested(verb, job_id, State(before))
    if State(before).is_finished and not state.is_finished:
        refuse_second_holder(connection, job_id, verb, key)
    connection.execute(STATEMENTS[verb], {"seq": seq, "state": state.value, "now": now})
    if state != before or verb not in {"pause", "cancel"}:
        event = EVENTS.get(verb, f"job.{state}")
        history.write(connection, seq, now, event, {"from": before})
    return State(before), worker if state.is_running else None


def refuse_second_holder(
    connection: sqlite3.Connection, job_id: str, verb: str, key: str | None
) -> None:
    """`QueueError` where another unfinished job has taken over the unique key."""
    holder = connection.execute(HOLDER_OF_KEY, {"unique_key": key}).fetchone()
    if holder is not None:
        raise QueueError(
            f"Cannot {verb} job {job_id!r}: the unfinished job {holder[0]!r} has its unique key "
            f"{key!r} now; let that one finish, or cancel it first"
        )
