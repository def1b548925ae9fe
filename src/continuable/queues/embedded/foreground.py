"""One job in this terminal: run here until it ends, interrupted by Ctrl-C, resumed by the next."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from continuable.core.interrupt import PAUSED, STOPPING
from continuable.core.outcome import Cancelled, Completed, Failed, Suspended
from continuable.errors import JobStateError, QueueError
from continuable.model.info import JobResult
from continuable.queues.embedded.finishing import finish
from continuable.queues.embedded.liveness import WorkerLock
from continuable.queues.embedded.queue import EmbeddedQueue
from continuable.queues.embedded.sweeping import staying_alive, sweeping
from continuable.worker.heartbeat import WRITE_WAIT, Heartbeat
from continuable.worker.identity import new_worker_id
from continuable.worker.maintenance import Maintenance
from continuable.worker.run import RunningJob
from continuable.worker.runner import UNKNOWN_JOB, Runner, RunResult

GRACE = 30.0
PAUSE = 0.05


def run_here(queue: EmbeddedQueue, job_id: str) -> JobResult:
    """Run the job until it ends, in the main thread.

    Raises:
        KeyboardInterrupt: It was interrupted by Ctrl-C, and is paused at its cursor.
        JobStateError: It has ended, or another worker runs it.
        JobNotFoundError: There is no such job.
    """
    return Foreground(queue, job_id).run()


class Foreground:
    """A worker for a single job."""

    def __init__(self, queue: EmbeddedQueue, job_id: str) -> None:
        registry = queue.registry
        self._table = queue.table
        self._job_id = job_id
        self._worker = new_worker_id()
        self._lock = WorkerLock(self._table.database.path, self._worker)
        self._heartbeat = Heartbeat(
            self._table,
            self._worker,
            GRACE,
            [staying_alive(self._lock)],
            Maintenance(self._worker, [sweeping(self._table, self._worker, registry.events)]),
        )
        self._runner = Runner(
            registry.jobs, self._table, self._heartbeat, passes=(KeyboardInterrupt,)
        )
        self._running: RunningJob | None = None
        self._wanted: str | None = None

    def run(self) -> JobResult:
        """Execution after execution, until the job has ended."""
        self._table.find(self._job_id)
        self._lock.acquire()
        self._heartbeat.start()
        try:
            with self._signals():
                while not self._run_once():
                    pass
        except KeyboardInterrupt:
            self._leave()
            raise
        finally:
            self._runner.close()
            self._heartbeat.stop()
            self._lock.release()
        return self._table.result(self._job_id)

    def _run_once(self) -> bool:
        """One execution; whether the job has ended."""
        claimed = self._table.claim_job(self._worker, self._job_id)
        if claimed is None:
            state = self._table.find(self._job_id).state
            raise JobStateError(self._job_id, state, "run", "waiting, interrupted, paused")
        ran = self._runner.run(claimed, self._started)
        self._running = None
        finish(self._table, ran)
        if self._wanted is not None and isinstance(ran.outcome, Suspended):
            raise KeyboardInterrupt
        return self._has_ended(ran)

    def _has_ended(self, ran: RunResult) -> bool:
        match ran.outcome:
            case Completed() | Cancelled():
                return True
            case Failed():
                if ran.retry_in is None:
                    return True
                self._wait(ran.retry_in)
            case Suspended(reason=reason, wait=wait):
                if reason in {PAUSED, UNKNOWN_JOB}:
                    return True
                self._wait(wait)
            case _:
                state = self._table.find(self._job_id).state
                raise JobStateError(self._job_id, state, "run", "waiting, interrupted, paused")
        return False

    def _leave(self) -> None:
        """Ctrl-C: paused at its last checkpoint, wherever it was; what still runs is fenced out."""
        with contextlib.suppress(QueueError):
            if self._running is not None:
                self._running.write(WRITE_WAIT)
        with contextlib.suppress(QueueError):
            if self._wanted == PAUSED:
                self._table.request(self._job_id, "pause")
        with contextlib.suppress(QueueError):
            self._table.reclaim([self._worker], STOPPING)

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while self._wanted is None and time.monotonic() < until:
            time.sleep(PAUSE)
        if self._wanted is not None:
            raise KeyboardInterrupt

    def _started(self, running: RunningJob) -> None:
        self._running = running
        if self._wanted is not None:
            running.attention.interrupt(self._wanted)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Ctrl-C pauses at the next checkpoint, SIGTERM hands back; a second one is not so kind."""

        def stop(number: int, _frame: FrameType | None) -> None:
            if self._wanted is not None:
                raise KeyboardInterrupt
            self._wanted = PAUSED if number == signal.SIGINT else STOPPING
            if self._running is not None:
                self._running.attention.interrupt(self._wanted)

        handlers = {
            number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
