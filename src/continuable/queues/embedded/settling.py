"""The end of an execution: its outcome becomes the job's state, and the next jobs are claimed."""

from __future__ import annotations

import logging
import sqlite3
from typing import Any

from continuable.core.interrupt import CANCELLED, PAUSED
from continuable.core.outcome import Cancelled, Completed, Failed, Fenced, Outcome, Suspended
from continuable.model.states import State
from continuable.queues.embedded import history
from continuable.queues.embedded.claiming import Claimed, Claims, Queues
from continuable.queues.embedded.statements import statement
from continuable.sqlite.connection import LOCK_WAIT
from continuable.worker.runner import Ran

logger = logging.getLogger("continuable")

COMPLETE = statement("complete")
END = statement("end")
PUT_BACK = statement("put_back")

RETRY = "retry"
"""The reason of a job that waits to be tried again."""

EVENTS = {
    State.INTERRUPTED: history.INTERRUPTED,
    State.PAUSED: history.PAUSED,
    State.CANCELLED: history.CANCELLED,
    State.FAILED: history.FAILED,
}


class Settlements(Claims):
    """The part of the job table that writes outcomes."""

    def settle(self, ran: Ran[Claimed], *, timeout: float = LOCK_WAIT) -> bool:
        """Write how an execution ended.

        Args:
            ran: The job, its outcome, and what goes with it.
            timeout: Seconds to wait for another connection's write lock.

        Returns:
            Whether it was written: not if the job was taken away in the meantime.
        """
        with self._database.transaction(timeout=timeout) as connection:
            return settle_within(connection, ran, self._database.clock())

    def turn_over(
        self, ran: Ran[Claimed], queues: Queues = None, *, timeout: float = LOCK_WAIT
    ) -> Claimed | None:
        """Write how an execution ended, and claim the next job in the same transaction.

        Args:
            ran: As in `settle`.
            queues: The queues that its worker takes jobs from.
            timeout: As in `settle`.
        """
        now = self._database.clock()
        with self._database.transaction(timeout=timeout) as connection:
            settle_within(connection, ran, now)
            return self._claim_within(connection, ran.claimed.worker, queues, now)


def settle_within(connection: sqlite3.Connection, ran: Ran[Claimed], now: float) -> bool:
    """Write how an execution ended, within a transaction; False: the claim was taken away."""
    for entry in ran.notes:
        history.write_note(connection, ran.claimed.seq, entry)
    is_written = write_outcome(
        connection, ran.claimed, ran.outcome, ran.longest_gap, ran.retry_in, now=now
    )
    if not is_written:
        logger.warning("Job %s was taken over by a newer execution", ran.claimed.id)
    return is_written


def write_outcome(
    connection: sqlite3.Connection,
    claimed: Claimed,
    outcome: Outcome,
    longest_gap: float,
    retry_in: float | None,
    *,
    now: float,
) -> bool:
    """Write `outcome` within a transaction; False: the claim was taken away, nothing written."""
    row: dict[str, Any] = {
        "seq": claimed.seq,
        "fence": claimed.fence,
        "worker": claimed.worker,
        "longest_gap": longest_gap,
        "now": now,
    }
    match outcome:
        case Completed():
            row |= {"result": outcome.result, "progress": outcome.progress}
            return connection.execute(COMPLETE, row).rowcount == 1
        case Suspended():
            sql, row = PUT_BACK, row | put_back(claimed, outcome, now)
            told: dict[str, Any] = {
                "reason": outcome.reason,
                "description": outcome.description,
                "wait": outcome.wait,
            }
        case Failed() if retry_in is not None:
            sql, row = PUT_BACK, row | retried(claimed, outcome, retry_in, now)
            told = {"reason": RETRY, "error": outcome.report.summary, "wait": retry_in}
        case Failed():
            sql, row = END, row | failed(claimed, outcome)
            told = {"error": outcome.report.summary}
        case Cancelled():
            sql, row = END, row | cancelled(claimed, outcome)
            told = {"reason": outcome.reason}
        case Fenced():
            return False
    written = connection.execute(sql, row).fetchone()
    if written is None:
        return False
    event = EVENTS[State(written[0])]
    if event is history.INTERRUPTED and isinstance(outcome, Failed):
        event = history.RETRYING
    if event in {history.PAUSED, history.CANCELLED}:
        told.pop("wait", None)
    told["execution"] = claimed.executions
    history.write(connection, claimed.seq, now, event, told)
    return True


def put_back(claimed: Claimed, outcome: Suspended, now: float) -> dict[str, Any]:
    """What `put_back.sql` needs to suspend a job."""
    made_progress = outcome.progress != claimed.progress
    is_paused = outcome.reason == PAUSED
    is_delayed = outcome.wait > 0 and not is_paused
    return {
        "state": State.PAUSED.value if is_paused else State.INTERRUPTED.value,
        "reason": outcome.reason,
        "run_at": now + outcome.wait if is_delayed else None,
        "delayed_at": now if is_delayed else None,
        "queue": outcome.queue,
        "priority": outcome.priority,
        "resumptions": int(outcome.is_counted),
        "failures": 0 if made_progress else claimed.failures,
        "made_progress": made_progress,
        "progress": outcome.progress,
        "error": outcome.error and outcome.error.summary,
        "traceback": outcome.error and outcome.error.traceback,
    }


def retried(claimed: Claimed, outcome: Failed, retry_in: float, now: float) -> dict[str, Any]:
    """What `put_back.sql` needs to try a job again."""
    is_delayed = retry_in > 0
    return failed(claimed, outcome) | {
        "state": State.INTERRUPTED.value,
        "reason": RETRY,
        "run_at": now + retry_in if is_delayed else None,
        "delayed_at": now if is_delayed else None,
        "queue": None,
        "priority": None,
        "resumptions": 0,
    }


def failed(claimed: Claimed, outcome: Failed) -> dict[str, Any]:
    """What `end.sql` needs for a job that has failed."""
    return {
        "state": State.FAILED.value,
        "reason": None,
        "failures": 1 if outcome.made_progress else claimed.failures + 1,
        "made_progress": outcome.made_progress,
        "progress": outcome.progress,
        "error": outcome.report.summary,
        "traceback": outcome.report.traceback,
    }


def cancelled(claimed: Claimed, outcome: Cancelled) -> dict[str, Any]:
    """What `end.sql` needs for a job that was cancelled."""
    return {
        "state": State.CANCELLED.value,
        "reason": outcome.reason or CANCELLED,
        "failures": claimed.failures,
        "made_progress": outcome.progress != claimed.progress,
        "progress": outcome.progress,
        "error": None,
        "traceback": None,
    }
