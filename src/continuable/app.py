"""`App`: a registry of jobs, bound to one queue."""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine, Iterable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar, cast, overload

from continuable.core.definition import OWN_STORE, Registry
from continuable.core.job import Job
from continuable.core.options import (
    DEFAULTS,
    ResumeOptions,
    RetryWait,
    exponential_backoff,
    job_options,
)
from continuable.declaration.definition import AsyncJobDefinition, JobDefinition
from continuable.declaration.handle import Handle
from continuable.events import log as eventlog
from continuable.events.stream import EventStream, Subscriber
from continuable.model.callables import function_name, is_async
from continuable.serialization import Codec, Serializer
from continuable.serialization.naming import importable_module

if TYPE_CHECKING:
    from continuable.events.kinds import Event
    from continuable.progress.protocol import ProgressStore

KEEP_FINISHED = timedelta(days=30)

P = ParamSpec("P")
R = TypeVar("R")
E = TypeVar("E", bound="Event")


if TYPE_CHECKING:

    class JobDecorator(Protocol):
        """What `@app.job(...)` is."""

        @overload
        def __call__(
            self, fn: Callable[Concatenate[Job, P], Coroutine[Any, Any, R]], /
        ) -> AsyncJobDefinition[P, R]: ...
        @overload
        def __call__(self, fn: Callable[Concatenate[Job, P], R], /) -> JobDefinition[P, R]: ...


class App:
    """The jobs of an application and the queue that they run on.

    Args:
        url: The embedded queue's database: `sqlite:///jobs.db` is relative to the current
            folder, `sqlite:////srv/jobs.db` is not. Opened when it is first needed.
        queue: Another queue, in place of the embedded one.
        progress: Where progress is kept, in place of the queue's own store; `None`: in the
            messages alone, and saved at interruptions only. The embedded queue keeps its own.
        serializers: How types of your own are kept; see `Serializer`.
        defaults: Options for all jobs of the app; a job's own win.
        keep_finished: How long completed and cancelled jobs are remembered: workers forget older
            ones, with results and history. `None`: they are kept. Failed jobs stay until they are
            retried or discarded.
    """

    def __init__(
        self,
        url: str = "sqlite:///continuable.db",
        *,
        queue: Any = None,
        progress: ProgressStore | None = OWN_STORE,
        serializers: Iterable[Serializer[Any]] = (),
        defaults: Mapping[str, Any] = MappingProxyType({}),
        keep_finished: timedelta | None = KEEP_FINISHED,
    ) -> None:
        self.url = url
        kept = _seconds_kept(keep_finished)
        self.registry = Registry(Codec(serializers), EventStream(), progress, kept)
        self.events.subscribe(eventlog.log, eventlog.wants)
        self._defaults = job_options(DEFAULTS, defaults)
        self._opening = threading.Lock()
        self._queue = queue
        if queue is not None:
            queue.bind(self.registry)
        elif progress is not OWN_STORE:
            raise ValueError(
                "The embedded queue keeps progress in the rows of its jobs: leave progress= out, "
                "or name another queue="
            )

    @overload
    def job(
        self, fn: Callable[Concatenate[Job, P], Coroutine[Any, Any, R]], /
    ) -> AsyncJobDefinition[P, R]: ...
    @overload
    def job(self, fn: Callable[Concatenate[Job, P], R], /) -> JobDefinition[P, R]: ...
    @overload
    def job(
        self,
        /,
        *,
        name: str | None = None,
        queue: str | None = None,
        priority: int = 0,
        max_resumptions: int | None = None,
        resume_options: ResumeOptions | None = None,
        resume_errors_after_advancing: bool = True,
        max_runtime: float | None = None,
        save_every: float = 1.0,
        max_retries: int = 0,
        retry_wait: RetryWait = exponential_backoff,
        max_deaths: int = 3,
        removed_steps: Iterable[str] = (),
    ) -> JobDecorator: ...
    def job(
        self,
        fn: Callable[..., Any] | None = None,
        /,
        *,
        name: str | None = None,
        **options: Any,
    ) -> Any:
        """Register a job: a function whose first parameter is the `Job`.

        Args:
            fn: The function, plain or `async def`.
            name: What it is called in payloads; `module.qualname` if left out. It must not
                change while jobs are in flight.
            **options: As in `continuable.core.options.JobOptions`, which says what each means.

        Raises:
            ValueError: The name is taken, or an option cannot be meant.
            TypeError: There is no such option.
        """
        if fn is None:
            return lambda fn: self._register(fn, name, options)
        return self._register(fn, name, options)

    @property
    def codec(self) -> Codec:
        """How arguments, cursors and results are kept."""
        return self.registry.codec

    @property
    def events(self) -> EventStream:
        """The stream of its events."""
        return self.registry.events

    @property
    def progress(self) -> Any:
        """The store that it was given."""
        return self.registry.progress

    @property
    def jobs(self) -> Mapping[str, JobDefinition[..., Any]]:
        """The registered jobs by their names."""
        return cast("Mapping[str, JobDefinition[..., Any]]", MappingProxyType(self.registry.jobs))

    @property
    def queue(self) -> Any:
        """The queue: the one the app was given, or the embedded one at its `url`."""
        if self._queue is not None:
            return self._queue
        with self._opening:
            if self._queue is None:
                from continuable.queues.embedded import EmbeddedQueue

                self._queue = EmbeddedQueue(self.url)
                self._queue.bind(self.registry)
            return self._queue

    def handle(self, job_id: str) -> Handle[Any]:
        """The handle of a job that was enqueued before, here or in another process."""
        return Handle(lambda: self.queue, self.codec, job_id)

    @overload
    def subscribe(self, subscriber: Callable[[E], object], kind: type[E], /) -> None: ...
    @overload
    def subscribe(self, subscriber: Subscriber, /) -> None: ...
    def subscribe(
        self, subscriber: Callable[[Any], object], kind: type[Event] | None = None, /
    ) -> None:
        """Call `subscriber` with every event, or those of type `kind`, in the job's own thread."""
        only = getattr(kind, "name", None)
        self.events.subscribe(subscriber, lambda name: only is None or name == only)

    def _register(
        self, fn: Callable[..., Any], name: str | None, options: Mapping[str, Any]
    ) -> JobDefinition[..., Any]:
        if name is None:
            name = f"{importable_module(fn.__module__)}.{function_name(fn)}"
        other = self.registry.jobs.get(name)
        if other is not None and not _is_same_code(other.function, fn):
            message = (
                f"A job named {name!r} is registered already ({other.function!r}): "
                f"give this one another name="
            )
            raise ValueError(message)
        kind: type[JobDefinition[..., Any]] = AsyncJobDefinition if is_async(fn) else JobDefinition
        chosen = job_options(self._defaults, options)
        definition = kind(fn, name, chosen, self.codec, self.events, lambda: self.queue)
        self.registry.jobs[name] = definition
        if self._queue is not None:
            self._queue.declare(definition)
        return definition

    def __repr__(self) -> str:
        return f"<App of {len(self.registry.jobs)} jobs on {self._queue or self.url}>"


def _is_same_code(one: Callable[..., Any], other: Callable[..., Any]) -> bool:
    """Whether both are one function, met again because its module was imported twice."""
    places = [getattr(fn, "__code__", None) for fn in (one, other)]
    return None not in places and len({(c.co_filename, c.co_firstlineno) for c in places}) == 1  # type: ignore[union-attr]


def _seconds_kept(keep_finished: object) -> float | None:
    if keep_finished is None:
        return None
    if not isinstance(keep_finished, timedelta) or keep_finished < timedelta():
        raise ValueError(
            f"keep_finished is a timedelta, such as timedelta(days=30), or None to keep all jobs, "
            f"not {keep_finished!r}"
        )
    return keep_finished.total_seconds()
