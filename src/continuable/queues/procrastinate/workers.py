"""The workers of Procrastinate in this process: when they begin, are to stop, and end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from weakref import WeakSet

import procrastinate
from procrastinate.worker import Worker

from continuable.queues.consumer import undisturbed

WRITTEN = 0.1
"""Seconds in which a worker has put a job back."""
GRACE = 30.0
"""Seconds that running jobs have to stop, where the worker was given no time for that."""


class Workers:
    """Told by `App.run_worker` itself, and by the middleware of any other worker's jobs.

    Args:
        started: Called when the first begins, before it fetches a job.
        ended: Called when the last has ended.
    """

    def __init__(
        self,
        *,
        started: Callable[[], object],
        ended: Callable[[], object],
    ) -> None:
        self._workers: WeakSet[Worker] = WeakSet()
        self._asked: WeakSet[Worker] = WeakSet()
        self._started = started
        self._ended = ended

    def mind(self, app: procrastinate.App) -> None:
        """Hear of the workers of `app`."""
        make = app._worker  # noqa: SLF001 - there is no hook for the start of a worker

        def make_and_mind(**options: object) -> Worker:
            worker = make(**options)  # type: ignore[arg-type]
            self._mind(worker)
            return worker

        app._worker = make_and_mind  # type: ignore[method-assign] # noqa: SLF001 - as above

    def met(self, worker: Worker) -> None:
        """`worker` runs a job of ours."""
        self._workers.add(worker)

    def are_stopping(self) -> bool:
        """Whether none of them goes on."""
        workers = list(self._workers)
        return bool(workers) and all(map(self._is_stopping, workers))

    @property
    def grace(self) -> float:
        """Seconds that running jobs have to stop."""
        timeouts = [worker.shutdown_graceful_timeout for worker in list(self._workers)]
        return max([timeout for timeout in timeouts if timeout is not None], default=GRACE)

    def _is_stopping(self, worker: Worker) -> bool:
        # A worker that only empties the queue (--one-shot) sets the event when that is done,
        # though jobs may be running that nobody asks to stop.
        is_set = worker._stop_event.is_set()  # noqa: SLF001 - jobs are told only of an abort
        return worker in self._asked or (is_set and worker.wait)

    def _mind(self, worker: Worker) -> None:
        run: Callable[[], Awaitable[None]] = worker.run
        stop: Callable[[], None] = worker.stop

        async def run_and_tell() -> None:
            self._workers.add(worker)
            await asyncio.to_thread(self._started)
            try:
                await run()
            finally:
                self._workers.discard(worker)
                if not self._workers:
                    await undisturbed(self._ended)

        def stop_and_tell() -> None:
            self._asked.add(worker)
            stop()

        worker.run, worker.stop = run_and_tell, stop_and_tell  # type: ignore[method-assign]


def wake(worker: Worker, at: datetime) -> None:
    """Have `worker` look for jobs once one that it is about to put back may run again.

    By itself it does so when it has fetched a job, is told of a new one, or every 5 seconds.
    """
    loop = worker._loop  # noqa: SLF001 - as below
    if loop is not None:
        seconds = max(0.0, (at - datetime.now(UTC)).total_seconds()) + WRITTEN
        look = worker._new_job_event.set  # noqa: SLF001 - notifications do the same
        loop.call_soon_threadsafe(loop.call_later, seconds, look)
