"""One delivery of a task, and what becomes of it in Celery's own words."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from celery.backends.base import DisabledBackend
from celery.exceptions import Ignore, Reject, Retry
from celery.signals import task_revoked
from celery.states import READY_STATES, RETRY

from continuable.core.interrupt import CANCELLED
from continuable.core.outcome import Cancelled, Completed, Failed
from continuable.declaration.direct import call
from continuable.errors import JobFailedError, StoreError
from continuable.model.payload import JobRecord
from continuable.model.states import State
from continuable.queues.celery.messages import HEADER, own_options, send_again
from continuable.queues.celery.requests import TERMINATED
from continuable.queues.celery.stopping import surviving_one_sigterm
from continuable.queues.consumer import Delivered, Discard, Finished, Requeue, Snooze

if TYPE_CHECKING:
    from continuable.core.definition import Definition
    from continuable.progress.protocol import ProgressStore
    from continuable.queues.celery.messages import Messages
    from continuable.queues.consumer import Consumer

logger = logging.getLogger("continuable")

LATE = "continuable_late"
"""The header of a message that came when its job had ended, and that was put off once."""
LATE_PAUSE = 5.0
"""Seconds for another worker to tell Celery of an end that is in our store already."""

LONGEST_MARGIN = 15.0
"""Seconds that a job is left to come to its next checkpoint before a time limit of Celery's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumption:
    """What the deliveries of one queue share."""

    messages: Messages
    send: Callable[[JobRecord, float], None]
    get_store: Callable[[], ProgressStore]
    get_consumer: Callable[[], Consumer]
    eager_consumer: Callable[[], AbstractContextManager[Consumer]]


class Delivery:
    """A message for `job`, delivered to `task`."""

    def __init__(self, queue: Consumption, job: Definition, task: Any) -> None:
        self._queue = queue
        self._job = job
        self._task = task
        self._request = task.request

    def run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run the job. What this returns or raises is for Celery."""
        if self._request.called_directly:
            return self._call(args, kwargs)
        record = self._queue.messages.record(self._task, self._job)
        if self._request.is_eager:
            if self._queue.messages.is_ours(self._request):
                return self._run_eagerly(record)
            return self._call(*self._job.codec.loads(record.arguments, "The arguments"))
        consumer = self._queue.get_consumer()
        with surviving_one_sigterm(consumer.interrupt_running):
            try:
                is_retry = self._queue.messages.is_retry(self._request)
                delivered = consumer.run(record, is_retry=is_retry, time_limit=self._time_limit)
            except StoreError as error:
                raise Reject(error, requeue=True) from error
            except killed():
                delivered = Snooze(0.0)
            return self._answer(delivered)

    def _call(self, args: Any, kwargs: Any) -> Any:
        value = call(self._job, args, kwargs)
        return asyncio.run(value) if self._job.is_async else value

    def _run_eagerly(self, record: JobRecord) -> Any:
        """Run an enqueued job to its end, as `task_always_eager` says: no message is sent."""
        is_retry = self._queue.messages.is_retry(self._request)
        with self._queue.eager_consumer() as consumer:
            delivered = consumer.run(record, is_retry=is_retry)
            while isinstance(delivered, Requeue):
                delivered = consumer.run(delivered.record)
        match delivered:
            case Finished(Completed() as outcome):
                return outcome.value
            case Finished(Failed() as outcome):
                raise self._error(outcome)
            case Snooze():
                raise StoreError(f"Job {record.id!r} cannot be run: its store is away")
        raise Ignore  # it was paused or cancelled

    def _answer(self, delivered: Delivered) -> Any:
        match delivered:
            case Finished(outcome):
                return self._end(outcome)
            case Requeue(resumed, wait):
                return self._again(resumed, wait)
            case Snooze(seconds):
                return self._put_off(seconds)
            case Discard(state):
                return self._drop(state)

    def _end(self, outcome: Completed | Failed | Cancelled) -> Any:
        match outcome:
            case Completed():
                return outcome.value
            case Failed():
                raise self._error(outcome)
            case Cancelled():
                return self._revoke(outcome.reason or self._reason())

    def _error(self, outcome: Failed) -> Exception:
        """What the job has raised; `SystemExit` and the like would end Celery's process."""
        if isinstance(outcome.error, Exception):
            return outcome.error
        report = outcome.report
        return JobFailedError(self._request.id, report.summary, report.traceback)

    @property
    def _time_limit(self) -> float | None:
        """Seconds after which to hand over, since Celery's limits raise an error, or kill."""
        task = self._task
        hard, soft = self._request.timelimit or (None, None)
        limits = [
            limit for limit in (hard or task.time_limit, soft or task.soft_time_limit) if limit
        ]
        return min(limits) - min(LONGEST_MARGIN, min(limits) / 4) if limits else None

    def _again(self, record: JobRecord, wait: float) -> Any:
        try:
            self._queue.send(record, wait)
        except Exception as error:
            # What resumes the job is in the store, or else in this message.
            logger.error("Job %s cannot be sent, so its message stays: %s", record.id, error)  # noqa: TRY400
            raise Reject(error, requeue=True) from error
        self._queue.get_consumer().sent(record)
        raise Retry("continuable: to be resumed", when=wait)

    def _put_off(self, seconds: float, **headers: Any) -> Any:
        """Deliver the same message again, as it was."""
        options = own_options(self._task)
        ours = {HEADER: self._request.get(HEADER), LATE: self._request.get(LATE), **headers}
        options["headers"] |= {name: value for name, value in ours.items() if value is not None}
        if seconds > 0:
            options["countdown"] = seconds
        options |= {"task_id": self._request.id, "add_to_parent": False}
        send_again(self._task, self._request.args, self._request.kwargs, options)
        raise Ignore

    def _drop(self, state: State | None) -> Any:
        if state is None or not state.is_finished or not self._is_end_owed(state):
            raise Ignore
        if state is State.CANCELLED:
            return self._revoke(self._reason())
        if not self._request.get(LATE):
            return self._put_off(LATE_PAUSE, **{LATE: True})
        # A worker has died between the end of the job and the end of its message.
        ending = self._queue.get_store().result(self._request.id)
        if state is State.FAILED:
            raise JobFailedError(self._request.id, ending.error or "", ending.traceback or "")
        return self._job.codec.loads(ending.result or "null", "The result")

    def _is_end_owed(self, state: State) -> bool:
        """Whether Celery, and so what depends on the task, does not know of its end."""
        backend = self._task.backend
        if isinstance(backend, DisabledBackend) or self._is_result_ignored:
            return bool((self._request.delivery_info or {}).get("redelivered"))
        known = backend.get_state(self._request.id)
        return known not in READY_STATES and not (state is State.FAILED and known == RETRY)

    def _revoke(self, reason: str) -> Any:
        self._task.backend.mark_as_revoked(
            self._request.id,
            reason,
            request=self._request,
            store_result=not self._is_result_ignored,
        )
        is_terminated = reason == TERMINATED
        task_revoked.send(
            sender=self._task,
            request=self._request,
            terminated=is_terminated,
            signum=None,
            expired=False,
        )
        raise Ignore

    def _reason(self) -> str:
        return self._queue.get_store().result(self._request.id).reason or CANCELLED

    @property
    def _is_result_ignored(self) -> bool:
        ignored = vars(self._request).get("ignore_result")
        return bool(self._task.ignore_result if ignored is None else ignored)


def killed() -> tuple[type[BaseException], ...]:
    """What is raised in a greenlet that a cold shutdown kills; in no other pool is there any."""
    greenlet = sys.modules.get("greenlet")
    return () if greenlet is None else (greenlet.GreenletExit,)
