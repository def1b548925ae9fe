"""`RQQueue`: the adapter."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import ResponseError
from rq import Queue, Retry, Worker, get_current_job
from rq.exceptions import NoSuchJobError
from rq.job import Job, JobStatus

from continuable.declaration.direct import call
from continuable.errors import JobNotFoundError, QueueError
from continuable.model.callables import function_name
from continuable.model.payload import JobRecord
from continuable.model.states import ON_QUEUE
from continuable.progress.protocol import ProgressStore
from continuable.progress.redis import RedisProgress
from continuable.queues.consumer import Consumer
from continuable.queues.engine import EngineQueue
from continuable.queues.rq import sentry, taken
from continuable.queues.rq.delivery import Delivery
from continuable.queues.rq.leaving import leave
from continuable.queues.rq.message import FIELD, SPARE_RETRIES, Message
from continuable.queues.rq.scheduling import WAITING, has_scheduler, overdue
from continuable.queues.rq.sentry import Sentry
from continuable.queues.rq.unknown import ON_FAILURE
from continuable.queues.rq.worker import RunningWorker
from continuable.serialization.naming import importable_module
from continuable.worker.periodic import PeriodicTask

if TYPE_CHECKING:
    from continuable.core.definition import Definition
    from continuable.model.info import JobInfo

Task = Callable[..., Any]

ATTRIBUTE = "on_rq"
"""Where RQ finds the task of a job: `my_project.jobs.process_import.on_rq`."""
PRIORITY_FIELD = "continuable-priority"
PUSH = (Path(__file__).parent / "push.lua").read_text("utf-8")
DEFAULT = "default"
"""RQ's own default queue."""
STOPPING_EVERY = 0.25
"""Seconds between two looks whether the worker is to stop: each is a round trip."""
SCHEDULED_EVERY = 5.0
"""Seconds between two looks whether RQ's scheduler minds the jobs that wait for their time."""
LOOKED_BACK = "continuable-looked-back"
LOOK_BACK_EVERY = 10.0
"""Seconds of a lease: work horses look in half of it for what others have left behind."""
GIVEN_UP = frozenset({JobStatus.STOPPED, JobStatus.CANCELED})


class RQQueue(EngineQueue):
    """Jobs on RQ: `App(queue=RQQueue(Redis()))`, and `rq worker` as ever.

    Args:
        connection: To the Redis that RQ's queues are in. Progress is kept there too, unless the
            app names another store.
        job_timeout: RQ's time limit for one execution of a job that is enqueued through this
            queue, in seconds; -1: none, since a job may take days and is still stopped at once.
        serializer: As that of the workers (`rq worker --serializer`).
    """

    worker_kinds = ("Worker", "SpawnWorker", "SimpleWorker", "worker-pool")
    isolating_kinds = frozenset({"Worker", "SpawnWorker", "worker-pool"})

    def __init__(self, connection: Redis, *, job_timeout: int = -1, serializer: Any = None) -> None:
        super().__init__()
        self.connection: Any = connection
        self._job_timeout = job_timeout
        self._serializer = serializer
        self._tasks: dict[str, Task] = {}
        self._worker: RunningWorker | None = None

    # --- what `EngineQueue` asks for

    def declare(self, job: Definition) -> None:
        """Make `job` a function that RQ finds by its name."""

        def task(*args: Any, **kwargs: Any) -> Any:
            delivered = get_current_job()
            if delivered is None or delivered.func_name != name:
                return call(job, args, kwargs)
            return self._perform(job, delivered, args, kwargs)

        function = job.function
        task.__module__ = importable_module(function.__module__)
        task.__name__, task.__doc__ = ATTRIBUTE, job.__doc__
        task.__qualname__ = f"{function_name(function)}.{ATTRIBUTE}"
        name = f"{task.__module__}.{task.__qualname__}"
        self._tasks[job.name] = task
        setattr(job, ATTRIBUTE, task)

    def task(self, job: Definition) -> Task:
        """The function to enqueue with RQ's own means: `queue.enqueue(task, 42, depends_on=...)`.

        Its arguments are those of the job, and the job's id is the one that RQ gives.
        """
        return self._tasks[job.name]

    def send(self, record: JobRecord, wait: float) -> None:
        """Put a job on its queue, or back on it."""
        due = time.time() + wait if wait > 0 else 0.0
        job = None
        if record.delivery:  # else it is the first message, so that RQ knows nothing of the job
            with suppress(NoSuchJobError):  # RQ has forgotten it
                job = Job.fetch(record.id, self.connection, self._serializer)
        if job is None:
            with self.connection.pipeline() as pipeline:
                self._create(Message(record, due), pipeline)
                pipeline.execute()
        else:
            before = self.message(job)
            retries = before.retries if before else job.retries_left
            self._send_again(job, Message(record, due, retries))

    def send_new(self, messages: Sequence[tuple[JobRecord, float]]) -> Iterator[int]:
        """All of them, or none, in one round trip."""
        now = time.time()
        with self.connection.pipeline() as pipeline:
            for record, wait in messages:
                self._create(Message(record, now + wait if wait > 0 else 0.0), pipeline)
            pipeline.execute()
        yield len(messages)

    def missing(self, jobs: Sequence[JobInfo]) -> list[str]:
        """The jobs that RQ knows nothing of: `rq empty` deletes them, and `Job.delete`."""
        with self.connection.pipeline(transaction=False) as pipeline:
            for job in jobs:
                pipeline.exists(Job.key_for(job.id))
            found = pipeline.execute()
        return [job.id for job, is_there in zip(jobs, found, strict=True) if not is_there]

    def living_workers(self) -> dict[str, list[str]]:
        """As `rq info` shows them: one that was killed for up to seven minutes more."""
        workers = Worker.all(connection=self.connection)
        return {worker.name: worker.queue_names() for worker in workers}

    def own_store(self) -> ProgressStore:
        """RQ's own Redis."""
        return RedisProgress(self.connection)

    def start_consumer(self, store: ProgressStore) -> Consumer:
        """What a worker or a work horse runs its jobs with."""
        maintenance = []
        if store.is_durable:  # else it knows of no job that is not begun
            maintenance = [
                PeriodicTask("sentry", store.lease / 3, self._sentry.post_again),
                PeriodicTask("taken jobs", store.lease / 2, self._bring_back_taken),
                PeriodicTask("scheduled jobs", SCHEDULED_EVERY, self._bring_back_scheduled),
            ]
        return Consumer(
            self._registry.jobs,
            store,
            self._rescue,
            is_stopping=self._is_stopping,
            stopping_every=STOPPING_EVERY,
            maintenance=maintenance,
            missing=self.missing,
            keep_finished=self._registry.keep_finished,
            begins_at_once=False,  # `_worker_of` says whose turn it is
        )

    # --- jobs on queues

    def queue(self, name: str | None) -> Queue:
        """A queue of RQ's."""
        return Queue(name or DEFAULT, self.connection, serializer=self._serializer)

    def message(self, job: Job) -> Message | None:
        """What rides with a job of RQ's."""
        text = self.connection.hget(job.key, FIELD)
        return None if text is None else Message.from_json(text)

    def put_back(self, job: Job, message: Message, *, at_front: bool = False) -> None:
        """Have a job of RQ's wait on the queue of `message`, once, in any state it is in."""
        came_from, queue = self.queue(job.origin), self.queue(message.record.queue or job.origin)
        is_scheduled = message.due > time.time() and has_scheduler(self.connection, queue.name)
        with self.connection.pipeline() as pipeline:
            for registry in (
                came_from.failed_job_registry,
                came_from.finished_job_registry,
                came_from.deferred_job_registry,
                came_from.scheduled_job_registry,
                came_from.canceled_job_registry,
            ):
                registry.remove(job.id, pipeline=pipeline)
            pipeline.persist(job.key)
            fields = {"origin": queue.name, "retries_left": message.retries_left}
            pipeline.hset(job.key, mapping=fields)
            job.retries_left = message.retries_left
            self._push(queue, job, message, pipeline, at_front=at_front, is_scheduled=is_scheduled)
            pipeline.execute()

    def value(self, job_id: str) -> Any:
        """What a job has returned."""
        text = self.store.result(job_id).result or "null"
        return self._registry.codec.loads(text, f"The result of {job_id!r}")

    def _send_again(self, job: Job, message: Message) -> None:
        """The same where it may wait already, or was left by a dead worker."""
        queue = self.queue(job.origin)
        queue.remove(job.id)
        queue.started_job_registry.remove_executions(job)
        self.put_back(job, message)

    def _create(self, message: Message, pipeline: Pipeline) -> None:
        record = message.record
        task = self._tasks.get(record.name)
        if task is None:
            raise QueueError(f"No job is registered as {record.name!r} here, so RQ cannot run it")
        if "<locals>" in task.__qualname__:
            raise QueueError(
                f"RQ finds a job by its name, and nobody finds {record.name!r}, which is defined "
                f"inside a function: define it at the top of a module"
            )
        args, kwargs = json.loads(record.arguments)
        queue = self.queue(record.queue)
        job = queue.create_job(
            task,
            args,
            kwargs,
            job_id=record.id,
            timeout=self._job_timeout,
            retry=Retry(SPARE_RETRIES),
            on_failure=ON_FAILURE,
        )
        job.save(pipeline=pipeline)
        self._push(queue, job, message, pipeline, is_scheduled=message.due > 0)

    def _push(
        self,
        queue: Queue,
        job: Job,
        message: Message,
        pipeline: Pipeline,
        *,
        at_front: bool = False,
        is_scheduled: bool,
    ) -> None:
        pipeline.sadd(queue.redis_queues_keys, queue.key)
        priority = message.record.priority
        fields: dict[Any, Any] = {FIELD: message.to_json(), PRIORITY_FIELD: priority}
        pipeline.hset(job.key, mapping=fields)
        if is_scheduled:
            job.set_status(JobStatus.SCHEDULED, pipeline=pipeline)
            # In whole seconds, as RQ has them: rounded up, so that it does not come too early.
            due = math.ceil(message.due)
            pipeline.zadd(queue.scheduled_job_registry.key, {job.id: due})
            if message.record.delivery and self.store.is_durable:
                pipeline.zadd(WAITING, {job.id: due})
        else:
            job.set_status(JobStatus.QUEUED, pipeline=pipeline)
            if at_front:
                pipeline.lpush(queue.key, job.id)
            else:
                arguments: list[Any] = [
                    job.id,
                    priority,
                    Job.redis_job_namespace_prefix,
                    PRIORITY_FIELD,
                ]
                pipeline.eval(PUSH, 1, queue.key, *arguments)

    # --- what workers deliver

    def _perform(
        self, definition: Definition, job: Job, args: Any, kwargs: Mapping[str, Any]
    ) -> Any:
        consumer = self.consumer()
        worker = self._worker_of(job, consumer)
        worker.on_sigterm(consumer.interrupt)
        try:
            if job.id == sentry.ID:
                return self._stand_sentry(job, worker, consumer)
            with self._sentry_posted(definition, worker):
                message = self.message(job) or self._new_message(definition, job, args, kwargs)
                return Delivery(self, consumer, worker, job, message).run()
        finally:
            # RQ ends a work horse on the spot, also while a thread of ours brings back the job of
            # another.
            if worker.is_parent:
                self.close()

    def _worker_of(self, job: Job, consumer: Consumer) -> RunningWorker:
        name = job.worker_name or ""
        if self._worker is None or self._worker.name != name:
            self._worker = RunningWorker(self.connection, name)
            # Work horses come and go with each job, so that only some of them look.
            lasts = max(1, int(500 * min(self.store.lease, LOOK_BACK_EVERY)))
            with suppress(ResponseError):  # Redis is full, or must not be written to
                if self.connection.set(LOOKED_BACK, "", nx=True, px=lasts):
                    consumer.look_back()  # also on the queues of this worker
        return self._worker

    def _new_message(
        self, definition: Definition, job: Job, args: Any, kwargs: Mapping[str, Any]
    ) -> Message:
        """For a job that was enqueued by RQ's own means."""
        arguments = definition.plain_arguments(args, kwargs)
        record = JobRecord(id=job.id, name=definition.name, arguments=arguments)
        record.queue = job.origin
        message = Message(record, retries=job.retries_left)
        fields: dict[Any, Any] = {FIELD: message.to_json(), "retries_left": message.retries_left}
        if job.failure_callback is None:  # else it is the user's
            fields["failure_callback_name"] = ON_FAILURE.name
        self.connection.hset(job.key, mapping=fields)
        return message

    def _is_stopping(self) -> bool:
        return self._worker is not None and self._worker.is_stopping()

    def _rescue(self, record: JobRecord, wait: float) -> None:
        """Bring a job back whose worker died, unless RQ was told to stop it for good."""
        try:
            status = Job.fetch(record.id, self.connection, self._serializer).get_status()
        except NoSuchJobError:
            status = None
        if status in GIVEN_UP:
            self.store.request(record.id, "cancel")
        else:
            self.send(record, wait)

    def _bring_back_taken(self) -> None:
        """Bring back the jobs that workers have died with before they began."""
        for name in [] if self._worker is None else self._worker.queues:
            for job in taken.abandoned(self.queue(name)):
                message = self.message(job)
                if message is not None and self._is_awaited(job.id):
                    self._send_again(job, message)

    def _bring_back_scheduled(self) -> None:
        """Bring back the jobs that a scheduler of RQ's has died with."""
        for job_id in overdue(self.connection):
            with suppress(NoSuchJobError):  # RQ has forgotten it
                job = Job.fetch(job_id, self.connection, self._serializer)
                message = self.message(job)
                if message is not None and job in self.queue(job.origin).scheduled_job_registry:
                    self._send_again(job, message)
            self.connection.zrem(WAITING, job_id)

    def _is_awaited(self, job_id: str) -> bool:
        try:
            return self.store.find(job_id).state in ON_QUEUE
        except JobNotFoundError:
            return False

    # --- the sentry

    @cached_property
    def _sentry(self) -> Sentry:
        return Sentry(self.connection, self.store)

    def _sentry_posted(
        self, definition: Definition, worker: RunningWorker
    ) -> AbstractContextManager[None]:
        if not self.store.is_durable:
            return nullcontext()
        return self._sentry.posted(self.queue(worker.queues[-1]), self._tasks[definition.name])

    def _stand_sentry(self, job: Job, worker: RunningWorker, consumer: Consumer) -> Retry | None:
        def recover() -> None:
            consumer.recover()
            self._bring_back_taken()

        queue = self.queue(worker.queues[-1])
        is_over = self._sentry.stand(job, queue, worker, recover, self._bring_back_scheduled)
        return None if is_over else leave(job)

    def __repr__(self) -> str:
        options = self.connection.connection_pool.connection_kwargs
        place = options.get("path") or f"{options.get('host')}:{options.get('port')}"
        return f"RQQueue({place}, database {options.get('db', 0)})"
