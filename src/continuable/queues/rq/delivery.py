"""One delivery of one job, from RQ and back to it."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from rq.job import Job
from rq.results import Result
from rq.utils import now

from continuable.core.outcome import Cancelled, Completed, Failed
from continuable.errors import JobFailedError
from continuable.model.states import State
from continuable.queues.consumer import Consumer, Discard, Finished, Requeue, Snooze
from continuable.queues.rq import leaving
from continuable.queues.rq.leaving import leave
from continuable.queues.rq.message import FIELD, Message
from continuable.queues.rq.worker import RunningWorker

if TYPE_CHECKING:
    from continuable.progress.protocol import ProgressStore

LONGEST_WAIT = 1.0
"""Seconds for which a worker keeps a job that came too early, before others have their turn."""
LOOK_EVERY = 0.05
LONGEST_MARGIN = 15.0
"""Seconds that a job is left to come to its next checkpoint before RQ's time limit."""


class Place(Protocol):
    """Where the job came from, and goes back to."""

    @property
    def store(self) -> ProgressStore:
        """Where its progress is."""
        ...

    def queue(self, name: str | None) -> Any:
        """A queue of RQ's."""
        ...

    def put_back(self, job: Job, message: Message, *, at_front: bool = False) -> None:
        """Put a job on its queue again, with what rides with it."""
        ...

    def value(self, job_id: str) -> Any:
        """What a job has returned."""
        ...


class Delivery:
    """What RQ has handed to this process."""

    def __init__(
        self,
        place: Place,
        consumer: Consumer,
        worker: RunningWorker,
        job: Job,
        message: Message,
    ) -> None:
        self._place = place
        self._consumer = consumer
        self._worker = worker
        self._job = job
        self._message = message

    def run(self) -> Any:
        """Run the job, if it may run: what RQ is to take for its return value."""
        message = self._message
        if not self._is_due():
            return self._put_back(message)
        delivered = self._consumer.run(
            message.record, is_retry=message.has_failed, time_limit=self._time_limit
        )
        match delivered:
            case Finished(outcome):
                return self._ended(outcome)
            case Requeue(record, wait):
                left = self._put_back(Message(record, _after(wait), message.retries))
                self._consumer.sent(record)
                return left
            case Snooze(seconds):
                message.due = _after(seconds)
                return self._put_back(message, at_front=not seconds)
            case Discard(state):
                return self._dropped(state)

    def _ended(self, outcome: Completed | Failed | Cancelled) -> Any:
        match outcome:
            case Completed():
                self._job.retries_left = self._message.retries or 0
                return outcome.value
            case Failed():
                raise self._failed(outcome.error)
            case Cancelled():
                return self._cancelled()

    def _dropped(self, state: State | None) -> Any:
        match state:
            case State.COMPLETED:
                return self._completed_before()
            case State.FAILED:
                raise self._failed(self._error())
            case State.CANCELLED:
                return self._cancelled()
            case State.PAUSED:
                return leave(self._job, self._pause)
            case _:
                return leave(self._job)

    @property
    def _time_limit(self) -> float | None:
        """When to hand over, since RQ raises an error in the job at its time limit."""
        timeout, started_at = self._job.timeout, self._job.started_at
        if not timeout or timeout < 0 or started_at is None:
            return None
        elapsed = now() - started_at  # it may take a while to import the job's module
        return timeout - min(LONGEST_MARGIN, timeout / 4) - elapsed.total_seconds()

    @property
    def _origin(self) -> Any:
        return self._place.queue(self._job.origin)

    def _is_due(self) -> bool:
        """Wait for the job's time, for a while.

        It comes too early where no scheduler of RQ's is there to wait for it: then it goes round
        the queue.
        """
        until = min(self._message.due, time.time() + LONGEST_WAIT)
        while (left := until - time.time()) > 0 and not self._worker.is_stopping():
            time.sleep(min(left, LOOK_EVERY))
        return self._message.due <= time.time()

    def _put_back(self, message: Message, *, at_front: bool = False) -> Any:
        self._place.put_back(self._job, message, at_front=at_front)
        return leave(self._job)

    def _failed(self, error: BaseException) -> BaseException:
        """Let RQ do what it does with a job that has failed, by the retries that the user left."""
        job, message = self._job, self._message
        message.has_failed = True
        job.retries_left = message.retries or 0
        if message.retries:
            message.retries -= 1
            leaving.spare_retries(job)
        fields: dict[Any, Any] = {FIELD: message.to_json(), "retries_left": job.retries_left}
        job.connection.hset(job.key, mapping=fields)
        return error

    def _error(self) -> JobFailedError:
        found = self._place.store.result(self._job.id)
        return JobFailedError(self._job.id, found.error or "", found.traceback or "")

    def _cancelled(self) -> Any:
        return leave(self._job, partial(leaving.cancelled, self._job, self._origin))

    def _pause(self, pipeline: Any) -> None:
        if self._place.store.result(self._job.id).state is State.PAUSED:
            leaving.paused(self._job, self._origin, pipeline)

    def _completed_before(self) -> Any:
        """RQ knows of that; unless the process was killed before it could tell."""
        latest = self._job.latest_result()
        if latest is not None and latest.type is Result.Type.SUCCESSFUL:
            return leave(self._job, partial(leaving.finished, self._job))
        return self._place.value(self._job.id)


def _after(seconds: float) -> float:
    return time.time() + seconds if seconds > 0 else 0.0
