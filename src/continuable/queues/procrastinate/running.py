"""One job that a worker of Procrastinate has fetched, from its row to what becomes of that."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from procrastinate import JobContext, RetryDecision
from procrastinate.job_context import AbortReason
from procrastinate.worker import Worker

from continuable.core.outcome import Cancelled, Completed, Failed
from continuable.errors import JobFailedError, QueueError, StoreError
from continuable.model.payload import JobRecord
from continuable.model.states import State
from continuable.queues.consumer import Delivered, Discard, Finished, Requeue, Snooze, undisturbed
from continuable.queues.procrastinate.messages import has_record, message_of
from continuable.queues.procrastinate.task import PARKED, Aborted, ComesBack, TakenOver
from continuable.queues.procrastinate.workers import wake
from continuable.worker.retrying import until_written
from continuable.worker.runner import UNKNOWN_JOB_WAIT, unknown

if TYPE_CHECKING:
    from continuable.progress.protocol import ProgressStore
    from continuable.queues.consumer import Consumer
    from continuable.queues.procrastinate.aborts import Aborts
    from continuable.queues.procrastinate.rows import JobRows
    from continuable.queues.procrastinate.workers import Workers

logger = logging.getLogger("continuable")


class FetchedJob:
    """Runs in the thread of a plain task, or on the event loop of an `async def` one.

    What it raises tells the worker what to write into the row.
    """

    def __init__(
        self,
        record: JobRecord,
        context: JobContext,
        worker: Worker,
        *,
        consumer: Consumer,
        store: ProgressStore,
        rows: JobRows,
        aborts: Aborts,
        workers: Workers,
    ) -> None:
        self._consumer = consumer
        self._store = store
        self._rows = rows
        self._aborts = aborts
        self._workers = workers
        self._context = context
        self._worker = worker
        self._record = record
        # Nothing but the retry_strategy of the task, or a person, makes it more than 0.
        self._is_retry = context.job.attempts > 0

    def run(self) -> Any:
        """Run it to the end of this execution, and give what the job returned."""
        with self._aborts.watched(self._record.id, self._context):
            delivered = self._consumer.run(self._record, is_retry=self._is_retry)
        return self._answer(delivered)

    def wait_for_code(self) -> None:
        """Leave a job that is not claimed yet to a worker that knows it."""
        if has_record(self._context.job):
            self.run()
        logger.error("Job %s stays on the queue: %s", self._record.id, unknown(self._record.name))
        self._come_back("it is not known here", _in(UNKNOWN_JOB_WAIT))

    async def arun(self) -> Any:
        """The same for an `async def` job."""
        try:
            delivered = await self._consumer.arun(self._record, is_retry=self._is_retry)
        except asyncio.CancelledError:
            return await undisturbed(self._cancelled)
        if isinstance(delivered, Finished):  # which waits for nothing
            return _ended(delivered.outcome)
        return await undisturbed(lambda: self._answer(delivered))

    def _answer(self, delivered: Delivered) -> Any:
        match delivered:
            case Finished(outcome):
                return _ended(outcome)
            case Requeue(record, wait):
                # Nobody confirms it: if the worker cannot put the row back, it is sent once more.
                decision = _in(wait, queue=record.queue, priority=record.priority)
                self._come_back(
                    f"it resumes in {wait:g} s", decision, message_of(record, self._store)
                )
            case Snooze(seconds):
                self._come_back("it may not run yet", _in(seconds))
            case Discard(state):
                self._dropped(state)
        return None

    def _dropped(self, state: State | None) -> None:
        match state:
            case State.PAUSED:
                self._come_back("it is paused", RetryDecision(retry_at=PARKED))
            case State.FAILED:
                ended = self._store.result(self._record.id)
                raise JobFailedError(self._record.id, ended.error or "", ended.traceback or "")
            case State.CANCELLED:
                raise Aborted("it is cancelled")
            case None if not self._rows.is_held(self._context.job):
                self._leave_the_row_alone()

    def _cancelled(self) -> None:
        """The worker has cancelled an `async def` job."""
        if self._context.abort_reason() is AbortReason.USER_REQUEST:
            self._abort()
        self._come_back("it was cut off, and resumes", _in(0.0))

    def _come_back(
        self, why: str, decision: RetryDecision, record: JobRecord | None = None
    ) -> None:
        job = self._context.job
        try:
            is_aborted = until_written(
                lambda _timeout: self._rows.come_back(job, record),
                self._record.id,
                is_over=self._workers.are_stopping,
            )
        except StoreError:
            is_aborted = False  # the store knows where the job is, and the row where it was
        if is_aborted is None:
            self._leave_the_row_alone()
        if is_aborted:
            self._abort()
        if decision.retry_at is not None and decision.retry_at < PARKED:
            wake(self._worker, decision.retry_at)
        raise ComesBack(why, decision)

    def _abort(self) -> None:
        with contextlib.suppress(QueueError):  # it has ended meanwhile, or there is no store
            self._store.request(self._record.id, "cancel")
        raise Aborted("it was aborted")

    def _leave_the_row_alone(self) -> None:
        """The worker would write by the id alone, also into a row of another: none has this one."""
        object.__setattr__(self._context.job, "id", -1)
        raise TakenOver("Another execution has taken over")


def _ended(outcome: Completed | Failed | Cancelled) -> Any:
    match outcome:
        case Failed():
            raise outcome.error
        case Cancelled():
            raise Aborted(f"it is cancelled ({outcome.reason})")
        case Completed():
            return outcome.value


def _in(seconds: float, *, queue: str | None = None, priority: int | None = None) -> RetryDecision:
    at = datetime.now(UTC) + timedelta(seconds=seconds)
    return RetryDecision(retry_at=at, queue=queue, priority=priority)
