"""`CeleryQueue`: how jobs become tasks, and what a worker of Celery's is told about itself."""

from __future__ import annotations

import contextlib
import inspect
import json
import logging
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from celery import Celery, Task, current_app, signals
from celery.concurrency.prefork import TaskPool
from celery.exceptions import TaskPredicate
from celery.states import FAILURE, SUCCESS
from kombu.exceptions import OperationalError

from continuable.core.definition import OWN_STORE
from continuable.errors import ContinuationError, JobNotFoundError, QueueError, StoreError
from continuable.model.payload import Enqueued, Enqueueing, JobRecord
from continuable.model.states import State
from continuable.progress.message import MessageProgress
from continuable.progress.protocol import ProgressStore
from continuable.queues.celery import requests, stopping
from continuable.queues.celery.delivering import ENDS, RETRIED, Consumption, Delivery, killed
from continuable.queues.celery.lost import LostMessages, missing_messages
from continuable.queues.celery.messages import Messages, send_again
from continuable.queues.celery.own_store import gaps, redis_store
from continuable.queues.celery.telling import has_dependents, note_told
from continuable.queues.consumer import Consumer
from continuable.queues.engine import EngineQueue

if TYPE_CHECKING:
    from continuable.core.definition import Definition
    from continuable.model.info import JobInfo

logger = logging.getLogger("continuable")

ALL_TASKS = "*"
UNKNOWN_PAUSE = 5.0
"""Seconds until a job is sent again that a worker did not know."""
OURS: Mapping[str, Any] = MappingProxyType(
    {
        "acks_late": True,  # or a worker that is killed takes its message with it
        "reject_on_worker_lost": True,
        "acks_on_timeout": False,  # a job that was killed for its time has its progress
        "dont_autoretry_for": (ContinuationError,),  # that would only repeat a mistake
    }
)
"""The options of tasks without which a job could be lost."""


class CeleryQueue(EngineQueue):
    """Runs the jobs of an app on Celery: `App(queue=CeleryQueue(celery_app))`.

    Every job is a task of `celery_app` under the job's own name, and the job's id is the task's.
    Progress is kept in the Redis that is the broker or the result backend, unless the app names
    another store.

    Args:
        celery_app: The Celery app; it need not be configured yet.
        grace: Seconds that a worker has between its signal and its end, as your deployment sets
            them: a job that goes for longer without a checkpoint is told of.
        task_options: Celery's own options of tasks (`rate_limit`, `autoretry_for`, `base`, ...),
            by the names of jobs; `"*"` is for all of them.
    """

    worker_kinds = ("prefork", "threads", "solo", "gevent", "eventlet")
    isolating_kinds = frozenset({"prefork"})
    patient_kinds = frozenset({"threads", "solo"})

    def __init__(
        self,
        celery_app: Celery,
        *,
        grace: float = 30.0,
        task_options: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
    ) -> None:
        super().__init__()
        self.celery_app = celery_app
        self.messages = Messages(celery_app, lambda: self.store)
        self._consumption = Consumption(
            messages=self.messages,
            send=self.send,
            get_store=lambda: self.store,
            get_consumer=self.consumer,
            eager_consumer=self.eager_consumer,
        )
        self._grace = grace
        self._task_options = task_options
        self._tasks: dict[str, Any] = {}
        celery_app.steps["worker"].add(stopping.StopStep)
        celery_app.steps["consumer"].add(
            requests.revoked_step(lambda: self.store, self._tasks.__contains__)
        )
        stopping.flag.subscribe(self._interrupt)
        signals.worker_process_init.connect(self._process_begins)
        signals.worker_ready.connect(self._worker_begins)
        signals.task_revoked.connect(self._revoked)
        signals.task_postrun.connect(self._ran)
        signals.task_retry.connect(self._retried)
        signals.task_unknown.connect(self._unknown)

    def declare(self, job: Definition) -> None:
        """Make `job` a task of the same name."""
        if job.name in self._tasks:
            return  # the same code, whose module was imported twice

        def run(task: Any, /, *args: Any, **kwargs: Any) -> Any:
            return Delivery(self._consumption, job, task).run(args, kwargs)

        for name in ("__module__", "__name__", "__qualname__", "__doc__"):
            setattr(run, name, getattr(job.function, name))
        # What `.delay` checks arguments against: the job stands where a bound task has itself.
        run.__signature__ = inspect.signature(job.function)  # type: ignore[attr-defined]
        every, own = self._task_options.get(ALL_TASKS, {}), self._task_options.get(job.name, {})
        options = {**OURS, **every, **own, "name": job.name, "bind": True, "shared": False}
        base = options.get("base") or self.celery_app.Task
        parent = options.get("Request") or getattr(base, "Request", Task.Request)
        options["Request"] = requests.request_class(parent, lambda: self.store)
        self._tasks[job.name] = self.celery_app.task(**options)(run)

    def task(self, job: Definition) -> Any:
        """The task of Celery's, for `.delay`, `.s`, `chain`, `chord`, ..."""
        return self._tasks[job.name]

    def enqueue(self, items: Sequence[Enqueueing], connection: Any = None) -> list[Enqueued]:
        """As on every engine; a job without a queue of its own goes where Celery routes it."""
        for record in (item.record for item in items):
            record.queue = record.queue or self.messages.queue(record)
        return super().enqueue(items, connection)

    def send(self, record: JobRecord, wait: float) -> None:
        """Put a message on the queue, in the place of the one before."""
        args, kwargs = json.loads(record.arguments)
        options = self.messages.options(record)
        if wait > 0:
            options["countdown"] = wait
        task = self._tasks.get(record.name)
        if record.delivery:
            options["expires"] = None  # that said when it was to start
        if task is None:  # its code is in another release
            self.celery_app.send_task(record.name, args, kwargs, **options)
        elif record.delivery:
            send_again(task, args, kwargs, options)
        else:
            _check_sent(task.apply_async(args, kwargs, **options), record)

    @contextlib.contextmanager
    def eager_consumer(self) -> Iterator[Consumer]:
        """What runs one job here and now, in a process that is no worker."""
        passes = (TaskPredicate,)
        consumer = Consumer(
            self._registry.jobs, self.store, self.send, passes=passes, recovers=False
        )
        consumer.start()
        try:
            yield consumer
        finally:
            consumer.close()

    def own_store(self) -> ProgressStore:
        """Redis, where Celery has one; else the messages alone, which workers say."""
        return redis_store(self.celery_app) or MessageProgress()

    def start_consumer(self, store: ProgressStore) -> Consumer:
        """One for each process that runs jobs: each child of a prefork pool, else the worker."""
        lost = LostMessages(self.celery_app, store, stopping.flag.worker)
        return Consumer(
            self._registry.jobs,
            store,
            self.send,
            grace=self._grace,
            passes=(TaskPredicate, *killed()),  # Retry, Ignore, Reject
            is_stopping=stopping.flag.is_raised,
            missing=lost.purged,
            keep_finished=self._registry.keep_finished,
        )

    def missing(self, jobs: Sequence[JobInfo]) -> Collection[str]:
        """The jobs that Celery's Redis has no message of; elsewhere none."""
        return missing_messages(self.celery_app, jobs)

    def living_workers(self) -> dict[str, list[str]] | None:
        """Those that answer Celery's `inspect` within a second, and their queues.

        In the pool `solo` a worker answers between two jobs only: it is not known whether one is
        alive while a job runs.
        """
        try:
            answers = self.celery_app.control.inspect().active_queues() or {}
        except OperationalError as error:
            raise QueueError(f"The broker of {self!r} does not answer: {error}") from error
        if not answers and self.store.list(states={State.RUNNING}, limit=1):
            return None
        return {name: [queue["name"] for queue in queues] for name, queues in answers.items()}

    # --- what Celery tells

    def _process_begins(self, **_: Any) -> None:
        stopping.flag.join()
        if current_app._get_current_object() is not self.celery_app:  # noqa: SLF001 - as Celery asks
            return  # the process of another app's worker, whose project has both
        # At once, and not with the first job: others may have died and left some behind.
        self.consumer()

    def _worker_begins(self, sender: Any, **_: Any) -> None:
        if sender.app is not self.celery_app:
            return
        if not isinstance(sender.pool, TaskPool):  # whose children do that
            self.consumer()
        for sentence in self._warnings():
            logger.warning("%s", sentence)

    def _warnings(self) -> list[str]:
        """What of the configuration loses jobs or progress; one sentence for each."""
        found = []
        if not self.store.is_durable and self._registry.progress is not None:
            found.append(
                "Neither broker nor result backend is a Redis that continuable can use, so "
                "progress is kept at interruptions only and lost with a worker that is killed, and "
                "step.commit and step.transaction are errors: give the app a store, "
                "App(queue=..., progress=SQLAlchemyProgress(...)) or DjangoProgress()"
            )
        if self._registry.progress is OWN_STORE:
            found += gaps(self.celery_app)
        early = [t.name for t in self._tasks.values() if not t.acks_late]
        if early:
            found.append(
                f"A worker that is killed loses its jobs of {', '.join(early)}: "
                f"remove acks_late=False from their options or from task_annotations"
            )
        dropped = [t.name for t in self._tasks.values() if not t.reject_on_worker_lost]
        if dropped:
            found.append(
                f"A pool process that is killed fails its jobs of {', '.join(dropped)}: "
                f"remove reject_on_worker_lost=False from their options or from task_annotations"
            )
        with contextlib.suppress(StoreError):  # jobs wait for it, and say so
            found += self.gaps(self._grace, "CeleryQueue(..., grace=) and that of your deployment")
        return found

    def _interrupt(self) -> None:
        """The worker is to stop. From a signal handler: nothing here may wait for a lock."""
        started = self._consumer
        if started is not None and started[0] == os.getpid():
            started[1].interrupt()

    def _revoked(
        self, sender: Any, request: Any, *, terminated: bool, expired: bool, **_: Any
    ) -> None:
        """Somebody has revoked the task, or it has expired."""
        if sender.name in self._tasks:
            revoked = requests.TERMINATED if terminated else requests.REVOKED
            requests.cancel(self.store, request.id, requests.EXPIRED if expired else revoked)
            if not terminated and has_dependents(sender, request):
                note_told(self.store, request.id)

    def _retried(self, sender: Any, request: Any, **_: Any) -> None:
        """Celery has sent a task again that failed."""
        record = request.get(RETRIED)
        if sender.name in self._tasks and record is not None:
            self.consumer().sent(record)

    def _unknown(self, sender: Any, id: str, **_: Any) -> None:
        """This worker, of an older release, has thrown a message away whose task it does not know.

        Where it is a job's, the job waits for a worker that knows it.
        """
        if sender.app is not self.celery_app or not self.store.is_durable:
            return
        try:
            job = self.store.find(id)
            self.store.unconfirm(id, job.executions, UNKNOWN_PAUSE)
        except JobNotFoundError:
            pass  # it is none of ours
        except StoreError:
            logger.exception("Job %s, which this worker does not know, may be lost", id)

    def _ran(self, sender: Any, task_id: str, task: Any, state: str, **_: Any) -> None:
        """Celery has told of the end of a job, unless it tries it again."""
        if sender.name not in self._tasks or state not in {SUCCESS, FAILURE}:
            return
        if task.request.get(ENDS) and has_dependents(task, task.request):
            note_told(self.store, task_id)

    def __repr__(self) -> str:
        return f"CeleryQueue({self.celery_app.main or 'celery'})"


def _check_sent(result: Any, record: JobRecord) -> None:
    """A base class of the user's may send no message, and say so by a result of no task."""
    if result is not None and result.id != record.id:
        raise QueueError(
            f"The apply_async of {record.name!r} has not sent job {record.id!r}: it is not enqueued"
        )
