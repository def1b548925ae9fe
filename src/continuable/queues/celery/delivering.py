"""One delivery of a task, and what becomes of it in Celery's own words."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from celery.backends.base import DisabledBackend
from celery.exceptions import Ignore, Reject, Retry, TaskPredicate, TaskRevokedError
from celery.signals import task_revoked
from celery.states import FAILURE, READY_STATES, REVOKED, SUCCESS
from kombu.exceptions import EncodeError
from kombu.serialization import dumps

from continuable.core.interrupt import CANCELLED
from continuable.core.outcome import Cancelled, Completed, Failed
from continuable.declaration.direct import call
from continuable.errors import JobFailedError, StoreError
from continuable.model.payload import JobRecord
from continuable.model.states import State
from continuable.queues.celery.messages import HEADER, own_options, send_again
from continuable.queues.celery.stopping import surviving_one_sigterm
from continuable.queues.celery.telling import has_dependents, was_told
from continuable.queues.consumer import Delivered, Discard, Finished, Requeue, Retried, Snooze

if TYPE_CHECKING:
    from continuable.core.definition import Definition
    from continuable.model.info import JobResult
    from continuable.progress.protocol import ProgressStore
    from continuable.queues.celery.messages import Messages
    from continuable.queues.consumer import Consumer

logger = logging.getLogger("continuable")

LATE = "continuable_late"
"""The header of a message that came when its job had ended, and that was put off once."""
ENDS = "continuable_ends"
"""The attribute of a request with whose end the job has ended."""
RETRIED = "continuable_retried"
"""The attribute of a request whose task Celery is about to send again."""
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
                delivered = consumer.run(
                    record,
                    is_retry=is_retry,
                    time_limit=self._time_limit,
                    is_retried=self._is_retried,
                )
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
                return self._value(outcome.value, outcome.result)
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
            case Retried(resumed, error):
                vars(self._request)[RETRIED] = resumed
                raise error
            case Snooze(seconds):
                return self._put_off(seconds)
            case Discard(state):
                return self._drop(state)

    def _end(self, outcome: Completed | Failed | Cancelled) -> Any:
        self._tells_end()
        match outcome:
            case Completed():
                return self._value(outcome.value, outcome.result)
            case Failed():
                raise self._error(outcome)
            case Cancelled():
                return self._drop(State.CANCELLED)

    def _error(self, outcome: Failed) -> Exception:
        """What the job has raised; `SystemExit` and the like would end Celery's process."""
        if isinstance(outcome.error, Exception):
            return outcome.error
        report = outcome.report
        return JobFailedError(self._request.id, report.summary, report.traceback)

    def _is_retried(self, error: BaseException) -> bool:
        """Whether `autoretry_for` of the task has Celery run it again after `error`."""
        task = self._task
        if not isinstance(error, tuple(getattr(task, "autoretry_for", ()))):
            return False
        if isinstance(error, (TaskPredicate, *getattr(task, "dont_autoretry_for", ()))):
            return False
        most = getattr(task, "retry_kwargs", {}).get("max_retries", task.max_retries)
        return most is None or self._request.retries < most

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
        if state is None or not state.is_finished:
            raise Ignore
        store = self._queue.get_store()
        ending = store.result(self._request.id)
        matters = has_dependents(self._task, self._request)
        is_told = was_told(store, self._request.id) if matters else self._is_shown
        if state is State.CANCELLED and not is_told:
            return self._revoke(ending.reason or CANCELLED)
        if is_told or not matters:
            self._show(ending)
            raise Ignore
        if not self._request.get(LATE):
            return self._put_off(LATE_PAUSE, **{LATE: True})
        # A worker has died between the end of the job and the end of its message.
        self._tells_end()
        if state is State.FAILED:
            raise self._failure(ending)
        return self._kept_value(ending)

    def _tells_end(self) -> None:
        """What follows tells Celery of the end: to be noted once it has."""
        vars(self._request)[ENDS] = True

    def _show(self, ending: JobResult) -> None:
        """Give the task its result again: Celery has shown it as started with this message."""
        backend, job_id = self._task.backend, self._request.id
        if self._has_no_result or self._is_shown:
            return
        value: Any
        match ending.state:
            case State.COMPLETED:
                value = self._kept_value(ending)
                backend.store_result(job_id, value, SUCCESS, request=self._request)
            case State.FAILED:
                value, told = self._failure(ending), ending.traceback
                backend.store_result(job_id, value, FAILURE, traceback=told, request=self._request)
            case _:
                value = TaskRevokedError(ending.reason or CANCELLED)
                backend.store_result(job_id, value, REVOKED, request=self._request)

    def _kept_value(self, ending: JobResult) -> Any:
        result = ending.result or "null"
        return self._value(self._job.codec.loads(result, "The result"), result)

    def _value(self, value: Any, result: str) -> Any:
        """What a job has returned; its plain form, where Celery's serializers cannot carry it."""
        if value is None or type(value) in {bool, int, float, str}:
            return value
        conf = self._task.app.conf
        try:
            for serializer in {self._task.backend.serializer, conf.task_serializer}:
                dumps(value, serializer)  # type: ignore[no-untyped-call]
        except EncodeError:
            return json.loads(result)
        return value

    def _failure(self, ending: JobResult) -> JobFailedError:
        return JobFailedError(self._request.id, ending.error or "", ending.traceback or "")

    def _revoke(self, reason: str) -> Any:
        self._task.backend.mark_as_revoked(
            self._request.id,
            reason,
            request=self._request,
            store_result=not self._is_result_ignored,
        )
        task_revoked.send(
            sender=self._task,
            request=self._request,
            terminated=False,
            signum=None,
            expired=False,
        )
        raise Ignore

    @property
    def _is_shown(self) -> bool:
        """Whether the task has its result: a message that came again may have taken it away."""
        if self._has_no_result:
            return False
        return self._task.backend.get_state(self._request.id) in READY_STATES

    @property
    def _has_no_result(self) -> bool:
        return isinstance(self._task.backend, DisabledBackend) or self._is_result_ignored

    @property
    def _is_result_ignored(self) -> bool:
        ignored = vars(self._request).get("ignore_result")
        return bool(self._task.ignore_result if ignored is None else ignored)


def killed() -> tuple[type[BaseException], ...]:
    """What is raised in a greenlet that a cold shutdown kills; in no other pool is there any."""
    greenlet = sys.modules.get("greenlet")
    return () if greenlet is None else (greenlet.GreenletExit,)
