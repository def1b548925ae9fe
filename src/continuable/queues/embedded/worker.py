"""A worker process: claims jobs, runs them in threads, and leaves nothing behind when it stops."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import SimpleQueue
from types import FrameType
from typing import NoReturn

from continuable.core.interrupt import STOPPING
from continuable.errors import JobNotFoundError, StoreBusyError, StoreError
from continuable.progress.protocol import Claim
from continuable.queues.embedded.finishing import finish
from continuable.queues.embedded.liveness import WorkerLock
from continuable.queues.embedded.notifier import listener_of, notify
from continuable.queues.embedded.queue import EmbeddedQueue
from continuable.queues.embedded.sweeping import staying_alive, sweeping
from continuable.worker.heartbeat import Heartbeat
from continuable.worker.identity import new_worker_id
from continuable.worker.maintenance import Maintenance, pruning
from continuable.worker.retrying import until_written
from continuable.worker.run import RunningJob
from continuable.worker.runner import Runner

logger = logging.getLogger("continuable")

SAYING = 1.0
"""Seconds that a worker which stops takes to say and save something: a pipe may be full."""
MISSING = 60.0
"""Seconds for which the file of the database may be away."""
LONGEST_SLEEP = 1.0
"""Seconds: an idle worker looks for work this often without a notification."""
WENT_IDLE = b"\0"
READ_AT_ONCE = 4096
SIGNALS = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOptions:
    """How a worker works."""

    queues: tuple[str, ...] | None = None
    """The queues to take jobs from; `None`: all."""
    threads: int = 1
    """Jobs at a time."""
    grace: float = 30.0
    """Seconds that running jobs have to come to a checkpoint once the worker is to stop."""
    drain: bool = False
    """Stop when there is no work left."""
    control: int | None = None
    """A file descriptor whose end of file means to stop: that of a supervisor, or its death."""


class Worker:
    """Works on the jobs of an embedded queue. To be run once, in the main thread."""

    def __init__(self, queue: EmbeddedQueue, options: WorkerOptions) -> None:
        if not isinstance(queue, EmbeddedQueue):
            raise TypeError(f"{queue!r} is not the embedded queue: start that queue's own worker")
        self.id = new_worker_id()
        self._options = options
        self._table = queue.table
        database, registry = queue.database, queue.registry
        self._lock = WorkerLock(database.path, self.id, registry.jobs)
        self._listener = listener_of(database, self.id)
        tasks = [sweeping(self._table, self.id, registry.events)]
        if registry.keep_finished is not None:
            tasks.append(pruning(self._table, registry.keep_finished))
        self._heartbeat = Heartbeat(
            self._table,
            self.id,
            options.grace,
            [staying_alive(self._lock)],
            Maintenance(self.id, tasks),
        )
        self._runner = Runner(registry.jobs, self._table, self._heartbeat)
        self._inbox: SimpleQueue[Claim | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"continuable-job-{number}", daemon=True)
            for number in range(options.threads)
        ]
        self._idle = options.threads
        self._control = options.control
        self._stops: list[int] = []
        self._was_told = False
        self._is_stopping = False
        self._is_broken = False
        self._is_lost = False
        self._missing_since: float | None = None
        self._trouble: str | None = None

    def run(self) -> int:
        """Work until a signal, or until there is no work left.

        Returns:
            The exit code: 0 if every job was completed or handed back.

        Raises:
            StoreError: The database cannot be opened and written.
        """
        with self._signals() as self._pipe:
            with contextlib.suppress(StoreBusyError):  # who is busy with it can write it
                self._table.database.try_writing()
            self._lock.acquire()
            self._heartbeat.start()
            for thread in self._threads:
                thread.start()
            logger.info("Worker %s started", self.id)
            self._serve()
            if not self._finish():
                self._give_up()
            return self._leave()

    # --- the main thread

    def _serve(self) -> None:
        """Hand jobs to idle threads. A busy thread claims its next job by itself."""
        while not self._is_told_to_stop():
            if self._has_lost_its_file():
                self._is_lost = True
                return
            if self._idle == 0:
                self._listener.unlisten()
                self._wait_for_pipe(LONGEST_SLEEP)
                continue
            try:
                # Listens first: a job that comes after the look for work is notified.
                self._listener.listen()
                self._table.database.check()
                claimed = self._table.claim_next(self.id, self._options.queues)
                if claimed is not None:
                    self._idle -= 1
                    self._inbox.put(claimed)
                elif self._is_drained():
                    return
                else:
                    self._sleep()
                self._trouble = None
            except (StoreError, OSError) as error:
                self._report(error)
                self._wait_for_pipe(LONGEST_SLEEP)

    def _has_lost_its_file(self) -> bool:
        """Whether there is another file in the place of the database, or none for a while.

        Then this worker ends, so that the one after it opens what is there. A file that is only
        moved away and back is waited for.
        """
        database, now = self._table.database, time.monotonic()
        if database.is_in_place:
            self._missing_since = None
            return False
        self._missing_since = self._missing_since or now
        return database.is_replaced or now - self._missing_since > MISSING

    @property
    def _stop_requests(self) -> int:
        return len(self._stops)

    def _is_told_to_stop(self) -> bool:
        """Asked before each claim: it may be one that a sibling, told the same, has handed back."""
        self._wait_for_pipe(0.0)
        return self._stop_requests > 0

    def _is_drained(self) -> bool:
        return (
            self._options.drain
            and self._idle == self._options.threads
            and not self._table.is_any_pending(self._options.queues)
        )

    def _sleep(self) -> None:
        due = self._table.next_due()
        now = self._table.database.clock()
        timeout = LONGEST_SLEEP if due is None else min(max(0.0, due - now), LONGEST_SLEEP)
        self._listener.wait(timeout, self._listens_to())

    def _finish(self) -> bool:
        """Interrupt what is running; whether it was handed back within the grace."""
        self._is_stopping = True
        self._listener.unlisten()
        deadline = time.monotonic() + self._options.grace
        self._heartbeat.interrupt_all(STOPPING)
        if self._stop_requests:
            say(self._say_that_it_stops)
        while self._idle < self._options.threads:
            left = deadline - time.monotonic()
            if left <= 0 or self._stop_requests > 1:
                return False
            self._wait_for_pipe(left)
        return True

    def _leave(self) -> int:
        for _ in self._threads:
            self._inbox.put(None)
        for thread in self._threads:
            thread.join()
        self._runner.close()
        self._heartbeat.stop()
        is_broken = self._hand_back()
        self._lock.release()
        logger.info("Worker %s stopped", self.id)
        return int(is_broken or self._is_lost)

    def _give_up(self) -> NoReturn:
        """Leave jobs that come to no checkpoint to the worker that finds the lock free.

        They are handed on by the end of this process, not before it: and that end waits for
        nothing, neither for a lock nor for a pipe that is full.
        """
        self._lock.leave_word(STOPPING)
        say(self._say_last_words)
        os._exit(1)

    def _say_that_it_stops(self) -> None:
        logger.info("Worker %s stops; its jobs have %g s", self.id, self._options.grace)

    def _say_last_words(self) -> None:
        with contextlib.suppress(StoreError):
            self._heartbeat.save_all()
        self._heartbeat.tell_overdue()
        for job in self._heartbeat.running:
            place = job.execution.description if job.execution else "not started"
            logger.error("Job %s was not handed back in time: %s", job.claimed.id, place)
        logging.shutdown()

    def _hand_back(self) -> bool:
        """Give up what this worker still holds; whether there was anything."""
        try:
            if self._is_broken:  # by a job, which counts as a death
                left = self._table.reclaim([self.id])
            else:
                left = self._table.reclaim([self.id], STOPPING)
        except StoreError as error:
            # The next worker finds the lock of this one free, and its jobs.
            logger.error("Worker %s cannot hand back its jobs: %s", self.id, error)  # noqa: TRY400
            return True
        for job in left:
            place = job.error or job.description
            logger.error("Job %s was not handed back in time: %s", job.id, place)
        return bool(left)

    def _wait_for_pipe(self, timeout: float) -> None:
        """Take note of signals, and of threads that have become idle."""
        readable, _, _ = select.select(self._listens_to(), [], [], timeout)
        if self._pipe in readable:
            self._idle += os.read(self._pipe, READ_AT_ONCE).count(WENT_IDLE)
        if self._control in readable and not os.read(readable[-1], READ_AT_ONCE):
            self._control = None
            self._was_told = not self._stop_requests
            if not self._stops:
                self._stops.append(signal.SIGTERM)

    def _listens_to(self) -> list[int]:
        return [self._pipe] if self._control is None else [self._pipe, self._control]

    @contextmanager
    def _signals(self) -> Iterator[int]:
        """Count SIGTERM and SIGINT, and have each wake the main thread through a pipe."""
        reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)

        def count(number: int, _frame: FrameType | None) -> None:
            if number == signal.SIGTERM and self._was_told:
                # Of systemd, for every process of the group: the supervisor has been told the same.
                self._was_told = False
                return
            # Not a number that is added to: a handler may come in the middle of another one.
            self._stops.append(number)

        handlers = {number: signal.signal(number, count) for number in SIGNALS}
        wakeup = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        try:
            yield reader
        finally:
            signal.set_wakeup_fd(wakeup)
            for number, handler in handlers.items():
                signal.signal(number, handler)
            os.close(reader)
            os.close(self._writer)

    def _report(self, error: Exception) -> None:
        if str(error) != self._trouble:
            self._trouble = str(error)
            logger.error("Worker %s cannot take jobs now and tries again: %s", self.id, error)

    # --- the job threads

    def _work(self) -> None:
        while (claimed := self._inbox.get()) is not None:
            following: Claim | None = claimed
            try:
                while following is not None:
                    following = self._run(following)
            except BaseException:
                # Not the job's doing, whose errors are outcomes: hand everything back and go.
                logger.exception("Worker %s is broken and stops", self.id)
                self._is_broken = True
                signal.raise_signal(signal.SIGTERM)
            os.write(self._writer, WENT_IDLE)

    def _run(self, claimed: Claim) -> Claim | None:
        """Run a job and write its end; the next one, which is claimed with that."""
        if self._is_stopping:
            # Else it is handed back with all that is left, or was discarded.
            with contextlib.suppress(StoreError, JobNotFoundError):
                self._table.release(claimed)
                notify(self._table.database.path)
            return None
        ran = self._runner.run(claimed, self._started)
        if not self._takes_more:
            finish(self._table, ran)
            return None
        queues = self._options.queues
        return until_written(
            lambda timeout: self._table.end_and_claim_next(ran, queues, timeout=timeout),
            claimed.id,
            error=ran.error,
        )

    @property
    def _takes_more(self) -> bool:
        return self._table.database.is_in_place and not self._is_stopping

    def _started(self, running: RunningJob) -> None:
        if self._is_stopping:
            # It came between the stop and the call to all running jobs.
            running.attention.interrupt(STOPPING)


def say(words: Callable[[], object]) -> None:
    """Say something, and go on even if that does not come to its end."""
    thread = threading.Thread(target=words, daemon=True)
    thread.start()
    thread.join(SAYING)
