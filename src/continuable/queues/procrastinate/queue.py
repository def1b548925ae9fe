"""`ProcrastinateQueue`: what an app enqueues to."""

from __future__ import annotations

import contextlib
import functools
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import procrastinate
import sqlalchemy as sa
from procrastinate import jobs, tasks
from procrastinate.worker import Worker

from continuable.declaration.direct import call
from continuable.errors import QueueError, StoreError
from continuable.model.payload import JobRecord
from continuable.progress.protocol import ProgressStore
from continuable.progress.sqlalchemy import SQLAlchemyProgress
from continuable.queues.consumer import Consumer
from continuable.queues.engine import EngineQueue
from continuable.queues.procrastinate.aborts import Aborts
from continuable.queues.procrastinate.database import engine_for
from continuable.queues.procrastinate.django import app_behind, django_store
from continuable.queues.procrastinate.finishing import guard_finishing
from continuable.queues.procrastinate.logs import shorten_interruptions
from continuable.queues.procrastinate.messages import job_id, message_of, record_of, task_arguments
from continuable.queues.procrastinate.rows import JobRows
from continuable.queues.procrastinate.running import FetchedJob
from continuable.queues.procrastinate.task import ContinuableTask
from continuable.queues.procrastinate.unknown import UNKNOWN, stand_in
from continuable.queues.procrastinate.workers import Workers
from continuable.worker.periodic import PeriodicTask

if TYPE_CHECKING:
    from continuable.core.definition import Definition
    from continuable.model.info import JobInfo
    from continuable.progress.django import DjangoProgress

logger = logging.getLogger("continuable")

PATIENCE = 1.0
"""Seconds in which a worker has written what has become of a job that it does not run any more."""
PAUSE = 0.02
STALLED = 30.0
"""Seconds without a heartbeat after which Procrastinate takes a worker for dead."""
ABORTS_INTERVAL = 0.5
"""Seconds between two looks whether somebody wants a running job aborted."""


class ProcrastinateQueue(EngineQueue):
    """Jobs are tasks of a Procrastinate app, and its workers run them: `procrastinate worker`.

    Progress is kept in the same database, unless the `App` names another store.

    A job has one row for as long as it lives: it comes back with its id, its locks and its place
    in the queue. `task(job)` is the task, to defer, configure and schedule by Procrastinate's own
    means; its `retry_strategy`, `lock` and `queueing_lock` may be set.

    Args:
        procrastinate_app: The app. It need not be open for jobs to be enqueued.
        engine: An SQLAlchemy engine on its database, where that cannot be told from its connector.
    """

    commits_by_default = True
    joins_transactions = True

    def __init__(
        self, procrastinate_app: procrastinate.App, *, engine: sa.Engine | None = None
    ) -> None:
        super().__init__()
        self._procrastinate = procrastinate_app
        self._engine = engine_for(procrastinate_app) if engine is None else engine
        self._own_store: SQLAlchemyProgress | DjangoProgress | None = None
        self._adopted: procrastinate.App | None = None
        self._tasks: dict[str, ContinuableTask] = {}
        self.rows = JobRows(self._engine)
        self.workers = Workers(started=self._begin, ended=super().close)
        self.aborts = Aborts(self._cancel)
        self._adopt(procrastinate_app)

    def declare(self, job: Definition) -> None:
        """Make `job` a task of the app."""
        if job.name in self._tasks:  # its module was imported twice
            return
        task = ContinuableTask(
            _function(job),
            adopt=self._adopt,
            blueprint=self._procrastinate,
            name=job.name,
            queue=job.options.queue or jobs.DEFAULT_QUEUE,
            priority=job.options.priority,
            task_middleware=[self._middleware(job)],
        )
        self._procrastinate._register_task(task)  # noqa: SLF001 - `App.task` makes plain ones only
        functools.update_wrapper(task, job.function, updated=())
        self._tasks[job.name] = task

    def task(self, job: Definition) -> tasks.Task[Any, Any, Any]:
        """Procrastinate's own object for `job`."""
        return self._tasks[job.name]

    def send(self, record: JobRecord, wait: float) -> None:
        """Defer a job, or have it fetched again where it has a row.

        Raises `AlreadyEnqueued` where the task has a `queueing_lock` that is taken.
        """
        record, lock = message_of(record, self.store), None
        end = time.monotonic() + PATIENCE
        while record.delivery:
            with self.rows.found(record) as row:
                if row is None:
                    break
                if not row.is_running:
                    return row.put_back(record, wait)
                # Its worker is about to write what has become of it; or it runs, and has to be
                # left to that execution until it finds out that another takes over.
                lock = row.lock
            if time.monotonic() >= end:
                break
            time.sleep(PAUSE)
        return self.rows.insert([self._row(record, wait, lock)])

    def send_new(self, messages: Sequence[tuple[JobRecord, float]]) -> Iterator[int]:
        """All of them, or none, in one statement."""
        self.rows.insert([self._row(record, wait) for record, wait in messages])
        yield len(messages)

    def missing(self, jobs: Sequence[JobInfo]) -> list[str]:
        """The jobs whose rows were deleted."""
        return self.rows.missing([job.id for job in jobs])

    def living_workers(self) -> dict[str, tuple[str, ...]]:
        """Those with a heartbeat; Procrastinate does not say which queues they serve."""
        return {str(number): () for number in self.rows.living_workers(STALLED)}

    def own_store(self) -> ProgressStore:
        """In the database of the app."""
        store = django_store(self._procrastinate) or SQLAlchemyProgress(self._engine)
        self._own_store = store
        return store

    def start_consumer(self, store: ProgressStore) -> Consumer:
        """For all workers in this process."""
        return Consumer(
            self._registry.jobs,
            store,
            self._bring_back,
            grace=self.workers.grace,
            is_stopping=self.workers.are_stopping,
            heartbeats=[PeriodicTask("aborts", ABORTS_INTERVAL, self.aborts.look_out)],
            maintenance=[PeriodicTask("stalled jobs", STALLED / 2, self._sweep)],
            missing=self.missing,
            keep_finished=self._registry.keep_finished,
        )

    def close(self) -> None:
        """Once this process runs no more jobs: its connections are made anew if they are needed."""
        super().close()
        if self._own_store is not None:
            self._own_store.close()
        self._engine.dispose()

    def _adopt(self, blueprint: procrastinate.Blueprint) -> None:
        """Have the workers of an app mind our jobs, as soon as there is one."""
        app = app_behind(blueprint)
        if app is not None and app is not self._adopted:
            self._adopted = app
            self.workers.mind(app)
            guard_finishing(app)
            stand_in(app, self._unknown_task(app))
            shorten_interruptions()

    def _row(self, record: JobRecord, wait: float, lock: str | None = None) -> jobs.Job:
        """A new row for a job; one that comes back has no queueing lock, which is for new ones."""
        deferrer = self._procrastinate.configure_task(
            record.name,
            queue=record.queue,
            priority=record.priority,
            schedule_at=datetime.now(UTC) + timedelta(seconds=wait) if wait > 0 else None,
            lock=lock,
        )
        row = deferrer.make_new_job(**task_arguments(record))
        return row.evolve(queueing_lock=None) if record.delivery else row

    def _middleware(self, job: Definition) -> Callable[..., Any]:
        """What runs a job that a worker has fetched; the task itself is for direct calls."""

        def run(_call: object, context: procrastinate.JobContext, worker: Worker) -> Any:
            return self._fetched(job, context, worker).run()

        async def arun(_call: object, context: procrastinate.JobContext, worker: Worker) -> Any:
            return await self._fetched(job, context, worker).arun()

        return arun if job.is_async else run

    def _unknown_task(self, app: procrastinate.App) -> ContinuableTask:
        def run(_call: object, context: procrastinate.JobContext, worker: Worker) -> None:
            self._fetched(None, context, worker).wait_for_code()

        return ContinuableTask(
            lambda **_arguments: None,
            adopt=self._adopt,
            blueprint=app,
            name=UNKNOWN,
            queue=jobs.DEFAULT_QUEUE,
            task_middleware=[run],
        )

    def _fetched(
        self, job: Definition | None, context: procrastinate.JobContext, worker: Worker
    ) -> FetchedJob:
        self.workers.met(worker)
        return FetchedJob(
            record_of(context.job, job),
            context,
            worker,
            consumer=self.consumer(),
            store=self.store,
            rows=self.rows,
            aborts=self.aborts,
            workers=self.workers,
        )

    def _begin(self) -> None:
        self.consumer()
        with contextlib.suppress(StoreError):  # jobs wait for it, and say so
            for sentence in self.gaps(self.workers.grace, "--shutdown-graceful-timeout"):
                logger.warning("%s", sentence)

    # --- periodic tasks

    def _bring_back(self, record: JobRecord, wait: float) -> bool:
        """Have a job run again that its worker has left, unless somebody wants no more of it.

        Whether it surely does: a worker that has it and is alive may write its end over that.
        """
        record = message_of(record, self.store)
        while self._was_just_fetched(record):
            # By a worker that has died since, or by one that is about to claim it.
            if self._is_running(record.id):
                return True
            time.sleep(PAUSE)
        with self.rows.found(record) as row:
            if row is not None and not row.is_cancelled:
                row.put_back(record, wait)
                return not row.is_running
        if row is None:
            self.rows.insert([self._row(record, wait)])
        else:
            self._cancel(record.id)
        return True

    def _was_just_fetched(self, record: JobRecord) -> bool:
        with self.rows.found(record) as row:
            return row is not None and row.was_just_fetched

    def _sweep(self) -> None:
        """Bring back what no lease is about: fetched and never started, or ended unnoticed."""
        for job in self.rows.sweep(self._tasks, STALLED, lambda job: self._is_running(job_id(job))):
            self._cancel(job_id(job))

    def _is_running(self, record_id: str) -> bool:
        try:
            return self.store.find(record_id).state.is_running
        except StoreError:
            raise
        except QueueError:  # nobody knows it, or there is no store
            return False

    def _cancel(self, record_id: str) -> None:
        with contextlib.suppress(QueueError):  # it has ended already, or there is no store
            self.store.request(record_id, "cancel")

    def __repr__(self) -> str:
        return "ProcrastinateQueue()"


def _function(job: Definition) -> Callable[..., Any]:
    """What a direct call of the task runs: the job, here and now."""
    if job.is_async:

        async def acall(*args: Any, **kwargs: Any) -> Any:
            return await call(job, args, kwargs)

        return acall

    return lambda *args, **kwargs: call(job, args, kwargs)
