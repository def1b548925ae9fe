"""`TestQueue`: a queue in memory that runs its jobs when a test says so."""

# ruff: noqa: SLF001 - `use` swaps the queue of an app
from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Self

from continuable.errors import QueueError
from continuable.model.payload import Enqueued, Enqueueing
from continuable.progress.row import DEFAULT_QUEUE, Row
from continuable.queues.board import StoreBoard
from continuable.testing.running import Run, arguments_of, refuse_running_loop
from continuable.testing.store import QueueStore, wait_of
from continuable.testing.views import EnqueuedJob, RunningJob

if TYPE_CHECKING:
    from types import TracebackType

    from continuable.app import App
    from continuable.core.definition import Definition, Registry
    from continuable.events.stream import EventStream

STUCK = 1000
"""Executions of one job in a `drain` without any progress, after which it is called stuck."""


ReasonAt = Callable[[RunningJob], "str | None"]
"""Why a job is to be interrupted at this checkpoint, if it is."""


class TestQueue:
    """Holds jobs in memory, and runs them in the test's own thread. It waits for no delay.

    Every payload is written as JSON and read back whenever a job is enqueued, so that a test
    meets what a real queue would. A job that fails lets its exception out.
    """

    __test__ = False  # pytest: not a class of tests

    def __init__(self) -> None:
        self.stopping: Callable[[RunningJob], bool | str | None] | None = None
        """Asked at every checkpoint of every job: True or a reason interrupts. It may raise."""
        self.store = QueueStore()
        self.interruptions: list[ReasonAt] = []
        self._board = StoreBoard(
            self.store, events=self._stream_of, send=lambda _record: None, queue=self
        )
        self._registries: list[Registry] = []
        self._replaced: list[tuple[App, Any]] = []

    def bind(self, registry: Registry) -> None:
        """The jobs of an app run on this queue from now on."""
        self._registries.append(registry)

    def declare(self, job: Definition) -> None:
        """It is found in its app when it runs."""

    def use(self, app: App) -> Self:
        """Run the jobs of `app` here, until `restore` gives it its own queue back."""
        self._replaced.append((app, app._queue))
        app._queue = self
        self.bind(app.registry)
        return self

    def restore(self) -> None:
        """Give every app that `use` took its own queue back."""
        while self._replaced:
            app, own_queue = self._replaced.pop()
            app._queue = own_queue
            self._registries.remove(app.registry)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.restore()

    def enqueue(self, items: Sequence[Enqueueing], connection: Any = None) -> list[Enqueued]:
        """Put all of `items` on the queue, or none; with a `connection`, once that commits."""
        return self.store.enqueue(items, connection)

    @property
    def board(self) -> StoreBoard:
        """What is known of the jobs, and how to steer them."""
        return self._board

    @property
    def enqueued(self) -> list[EnqueuedJob]:
        """The jobs that wait, the oldest first; an interrupted one has come in anew."""
        return [self._view(row) for row in self.store.enqueued()]

    def run_enqueued(self) -> int:
        """Run what is enqueued now, in that order, and nothing that these runs enqueue.

        Returns how many jobs have run. The exception of a job that fails comes out; the jobs
        behind it stay enqueued.
        """
        __tracebackhide__ = True
        count = 0
        for run in self._runs(in_loop=False):
            run.run()
            count += 1
        return count

    async def arun_enqueued(self) -> int:
        """The same in the event loop that is running."""
        __tracebackhide__ = True
        count = 0
        for run in self._runs(in_loop=True):
            await run.arun()
            count += 1
        return count

    def drain(self) -> int:
        """Run until nothing is enqueued; how many executions that took.

        Raises `QueueError` for a job that is interrupted over and over in the same place.
        """
        __tracebackhide__ = True
        count, places = 0, Counter[tuple[str, str]]()
        while self.store.enqueued():
            self._refuse_stuck(places)
            count += self.run_enqueued()
        return count

    async def adrain(self) -> int:
        """The same in the event loop that is running."""
        __tracebackhide__ = True
        count, places = 0, Counter[tuple[str, str]]()
        while self.store.enqueued():
            self._refuse_stuck(places)
            count += await self.arun_enqueued()
        return count

    def _asks(self) -> Callable[[RunningJob], str | bool | None] | None:
        """What to ask at this checkpoint; `None`: nothing is."""
        return self._reason_to_stop if self.stopping is not None or self.interruptions else None

    def _reason_to_stop(self, job: RunningJob) -> str | bool | None:
        for reason_at in self.interruptions:
            if reason := reason_at(job):
                return reason
        return self.stopping(job) if self.stopping is not None else None

    def _runs(self, *, in_loop: bool) -> Iterator[Run]:
        __tracebackhide__ = True
        for row in self.store.enqueued():
            definition = self._definition(row.name)
            if definition.is_async and not in_loop:
                refuse_running_loop()
            claim = self.store.take(row.id)
            if claim is not None:  # else an earlier job has cancelled this one
                yield Run(definition, self.store, claim, self._asks)

    def _stream_of(self, name: str) -> EventStream | None:
        streams = (one.events for one in reversed(self._registries) if name in one.jobs)
        return next(streams, None)

    def _definition(self, name: str) -> Definition:
        for registry in reversed(self._registries):
            if name in registry.jobs:
                return registry.jobs[name]
        known = ", ".join(sorted(name for registry in self._registries for name in registry.jobs))
        raise QueueError(f"No job named {name!r} is registered. There are {known or 'none'}")

    def _view(self, row: Row) -> EnqueuedJob:
        args, kwargs = arguments_of(row.arguments, self._definition(row.name))
        return EnqueuedJob(
            id=row.id,
            name=row.name,
            args=args,
            kwargs=kwargs,
            queue=row.queue or DEFAULT_QUEUE,
            priority=row.priority,
            wait=wait_of(row),
            executions=row.executions,
            resumptions=row.resumptions,
            progress=json.loads(row.progress),
            reason=row.reason,
        )

    def _refuse_stuck(self, places: Counter[tuple[str, str]]) -> None:
        for row in self.store.enqueued():
            place = (row.id, row.progress)
            places[place] += 1
            if places[place] > STUCK:
                raise QueueError(
                    f"Job {row.name!r} was run {STUCK} times without any progress, and is "
                    f"enqueued again (reason: {row.reason}): it would never end"
                )

    def __repr__(self) -> str:
        return f"<TestQueue: {len(self.store.enqueued())} enqueued>"
