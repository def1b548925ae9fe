"""`JobDefinition`: what `@app.job` makes of a function; to be called or enqueued."""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

from continuable.core.definition import Definition
from continuable.core.limits import check_id, check_name, check_priority, check_time, check_wait
from continuable.core.options import JobOptions
from continuable.declaration.direct import call
from continuable.declaration.handle import Handle
from continuable.errors import QueueError
from continuable.events.emission import Emission
from continuable.model.payload import Enqueueing, JobRecord

if TYPE_CHECKING:
    from datetime import datetime

    from continuable.events.stream import EventStream
    from continuable.serialization import Codec

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(slots=True, kw_only=True, eq=False)
class EnqueueOptions:
    """How one call is enqueued, where that differs from the job's own options.

    Raises `TypeError` or `ValueError` for what some queue could not hold.
    """

    wait: float = 0.0
    at: datetime | None = None
    queue: str | None = None
    priority: int | None = None
    id: str | None = None
    unique: str | None = None
    connection: Any = None

    def __post_init__(self) -> None:
        check_wait("wait", self.wait)
        if self.at is not None:
            check_time("at", self.at)
        if self.wait and self.at is not None:
            raise ValueError("wait= and at= exclude each other: both say when the job may start")
        if self.priority is not None:
            check_priority("priority", self.priority)
        for what, name in (("queue", self.queue), ("unique", self.unique)):
            if name is not None:
                check_name(what, name)
        if self.id is not None:
            check_id("id", self.id)


class Enqueuer(Generic[P, R]):
    """Puts calls of a job on the queue; made by `using`, with the options given there."""

    def __init__(self, definition: JobDefinition[P, R], options: EnqueueOptions) -> None:
        self._definition = definition
        self._options = options

    def enqueue(self, *args: P.args, **kwargs: P.kwargs) -> Handle[R]:
        """Put the job on the queue.

        Raises `TypeError` for arguments that do not fit the function, `SerializationError` for
        such that cannot be kept, `DuplicateJobError` for an id that is taken.
        """
        return self._enqueue([(args, kwargs)])[0]

    async def aenqueue(self, *args: P.args, **kwargs: P.kwargs) -> Handle[R]:
        """The same from async code, without blocking its event loop."""
        if self._options.connection is not None:
            # A connection of the caller's belongs to this thread.
            return self._enqueue([(args, kwargs)])[0]
        import asyncio

        return await asyncio.to_thread(lambda: self._enqueue([(args, kwargs)])[0])

    def enqueue_many(self, calls: Iterable[tuple[Any, ...]]) -> list[Handle[R]]:
        """Put one job on the queue for each tuple of arguments: all of them, or none."""
        if self._options.id is not None or self._options.unique is not None:
            raise ValueError("enqueue_many takes no id= or unique=: each job needs one of its own")
        return self._enqueue([(args, {}) for args in calls])

    def _enqueue(self, calls: list[tuple[Any, Mapping[str, Any]]]) -> list[Handle[R]]:
        definition = self._definition
        items = [self._item(args, kwargs) for args, kwargs in calls]
        enqueued = definition.queue.enqueue(items, self._options.connection)
        if definition.events.wants("job.enqueued"):
            for item, answer in zip(items, enqueued, strict=True):
                if answer.is_new:
                    Emission(definition.events, item.record).emit("job.enqueued")
        return [definition.handle(answer.id, is_new=answer.is_new) for answer in enqueued]

    def _item(self, args: Any, kwargs: Mapping[str, Any]) -> Enqueueing:
        definition, options = self._definition, self._options
        priority = options.priority
        record = JobRecord(
            id=options.id or os.urandom(10).hex(),
            name=definition.name,
            arguments=definition.plain_arguments(args, kwargs),
            queue=options.queue or definition.options.queue,
            priority=definition.options.priority if priority is None else priority,
        )
        return Enqueueing(
            record=record,
            run_at=None if options.at is None else options.at.timestamp(),
            wait=options.wait,
            unique=options.unique,
            has_chosen_id=options.id is not None,
        )


class JobDefinition(Definition, Generic[P, R]):
    """A registered job. Calling it runs it here and now, to its end."""

    def __init__(
        self,
        function: Callable[..., Any],
        name: str,
        options: JobOptions,
        codec: Codec,
        events: EventStream,
        get_queue: Callable[[], Any],
    ) -> None:
        super().__init__(function, name, options, codec, events)
        self._get_queue = get_queue
        self._as_declared = Enqueuer(self, EnqueueOptions())
        self.__wrapped__ = function
        self.__name__ = getattr(function, "__name__", name)
        self.__doc__ = function.__doc__

    @property
    def queue(self) -> Any:
        """The queue of its app."""
        return self._get_queue()

    @property
    def task(self) -> Any:
        """What the engine of the queue has for the job: a task of Celery's, a function for RQ.

        For old call sites: `process_import.task.delay(42)`. Raises `QueueError` where the queue is
        on no other engine.
        """
        queue = self._get_queue()
        if not hasattr(queue, "task"):
            raise QueueError(f"{queue!r} has no tasks: use {self.__name__}.enqueue()")
        return queue.task(self)

    def handle(self, job_id: str, *, is_new: bool = False) -> Handle[R]:
        """The handle of one that was enqueued."""
        return Handle(self._get_queue, self.codec, job_id, is_new=is_new)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the job in this process, without a queue: exceptions propagate."""
        result: R = call(self, args, kwargs)
        return result

    def enqueue(self, *args: P.args, **kwargs: P.kwargs) -> Handle[R]:
        """Put the job on the queue. See `Enqueuer.enqueue`."""
        return self._as_declared.enqueue(*args, **kwargs)

    async def aenqueue(self, *args: P.args, **kwargs: P.kwargs) -> Handle[R]:
        """The same from async code. See `Enqueuer.aenqueue`."""
        return await self._as_declared.aenqueue(*args, **kwargs)

    def enqueue_many(self, calls: Iterable[tuple[Any, ...]]) -> list[Handle[R]]:
        """Put one job on the queue for each tuple of arguments: all of them, or none."""
        return self._as_declared.enqueue_many(calls)

    def using(
        self,
        *,
        wait: float = 0.0,
        at: datetime | None = None,
        queue: str | None = None,
        priority: int | None = None,
        id: str | None = None,
        unique: str | None = None,
        connection: Any = None,
    ) -> Enqueuer[P, R]:
        """Options for one call: `job.using(wait=5.0).enqueue(...)`.

        Args:
            wait: Seconds before which it does not start.
            at: The time before which it does not start; a naive one is local time.
            queue: In place of the job's own queue.
            priority: In place of the job's own; higher runs first.
            id: An id of your choice: letters from A to Z, digits, hyphens and underscores, at
                most 191. `DuplicateJobError` if it is taken.
            unique: A key that one unfinished job may have at a time. If there is one, nothing is
                enqueued, and the handle is that job's (its `is_new` is False).
            connection: A connection of yours whose open transaction is to hold the job: to the
                file of the embedded queue (`sqlite3`), or to the database that progress is in
                (SQLAlchemy's `Connection` or `Session`, Django's, psycopg's, `sqlite3`).

        Raises `TypeError` or `ValueError` for what not every queue can hold: a time beyond the
        year 9999, a priority of more than 32 bits, a name with control characters, an id with
        a dot.
        """
        options = EnqueueOptions(
            wait=wait,
            at=at,
            queue=queue,
            priority=priority,
            id=id,
            unique=unique,
            connection=connection,
        )
        return Enqueuer(self, options)


class AsyncJobDefinition(JobDefinition[P, R]):
    """A registered `async def` job. Awaiting a call runs it here and now, to its end."""

    is_async = True

    def __call__(  # type: ignore[override]
        self, *args: P.args, **kwargs: P.kwargs
    ) -> Coroutine[Any, Any, R]:
        """Run the job in this event loop, without a queue: exceptions propagate."""
        result: Coroutine[Any, Any, R] = call(self, args, kwargs)
        return result
