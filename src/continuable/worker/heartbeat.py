"""`Heartbeat`: the thread of a worker process that minds its running jobs."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Sequence

from continuable.events.log import try_to_log
from continuable.progress.protocol import Keeper
from continuable.worker.maintenance import Maintenance
from continuable.worker.periodic import SLACK, PeriodicTask, Schedule
from continuable.worker.run import RunningJob

LONGEST_REST = 0.5
"""Seconds while jobs are running: one may come to no checkpoint, which has no time of its own."""
IDLE_REST = 0.25
"""Seconds while none are: for so long, a new one need not wake this thread."""
SHORTEST_REST = 0.005
WRITE_WAIT = 1.0
"""Seconds to wait for the database's lock."""
WRITE_AGAIN = 0.1
"""Seconds after which it is tried again."""


class Heartbeat:
    """Minds the running jobs of one process: their time, their saves, what is asked of them.

    It rests until something is due, or a job has handed something over. Nothing here may take
    long: what may, is maintenance.

    Args:
        keeper: Where progress is kept.
        worker: The id of this worker.
        grace: Seconds that a shutdown grants: a job that goes longer without a checkpoint is told.
        tasks: What else shows that this worker lives, or tells it to stop.
        maintenance: Recovery and the like, which is started and stopped with this.
    """

    def __init__(
        self,
        keeper: Keeper,
        worker: str,
        grace: float,
        tasks: Sequence[PeriodicTask] = (),
        maintenance: Maintenance | None = None,
    ) -> None:
        self._keeper = keeper
        self._worker = worker
        self._grace = grace
        self.maintenance = maintenance or Maintenance(worker)
        self._schedule = Schedule(worker, tasks, begins_at_once=False)
        self._starts_maintenance_at: float | None = None
        # By themselves: a job that is restarted while it runs may run twice here for a moment.
        self._jobs: dict[RunningJob, None] = {}
        self._wake = threading.Event()
        self._is_over = False
        self._looks_again_at = math.inf
        self._asked_at = -math.inf
        self._seen: tuple[object, list[RunningJob]] | None = None
        self._thread = threading.Thread(target=self._run, name="continuable-heartbeat", daemon=True)

    def start(self) -> None:
        """Begin; maintenance begins as soon as it has something to do."""
        self._starts_maintenance_at = time.monotonic() + self.maintenance.starts_in
        self._thread.start()

    def stop(self) -> None:
        """End, once what is under way has been done, of maintenance too."""
        self._is_over = True
        self.wake()
        # To its very end, and not only that of its work: it still has connections to close then.
        self._thread.join()
        self.maintenance.stop()

    def wake(self) -> None:
        """Look at once: there is something to write."""
        self._wake.set()

    def add(self, job: RunningJob) -> None:
        """Mind `job` until it is removed."""
        self._jobs[job] = None
        if job.next_due() < self._looks_again_at:
            self.wake()

    def remove(self, job: RunningJob) -> None:
        """`job` has ended."""
        self._jobs.pop(job, None)

    def tell_overdue(self) -> None:
        """Tell of every job that has not attended to what is wanted of it."""
        now = time.monotonic()
        for job in self.running:
            job.tell_if_overdue(0.0, now)

    def interrupt_all(self, reason: str) -> None:
        """Ask every running job to stop."""
        for job in self.running:
            job.attention.interrupt(reason)

    def save_all(self) -> None:
        """Write what the running jobs have handed over; raises if any of it cannot be written."""
        failed: BaseException | None = None
        for job in self.running:
            try:
                job.write(WRITE_WAIT, self.maintenance.hand_over)
            except BaseException as error:  # noqa: BLE001 - the trouble of one job is not another's
                failed = error
        if failed is not None:
            raise failed

    @property
    def running(self) -> list[RunningJob]:
        """The jobs that run now."""
        return list(self._jobs)

    def _run(self) -> None:
        while True:  # once at least, however soon it is stopped
            try:
                self._beat()
            except BaseException:  # noqa: BLE001 - every job of this process needs this thread
                message = "The heartbeat of %s failed"
                try_to_log(logging.ERROR, message, self._worker, exc_info=True)
                self._wake.wait(IDLE_REST)
            if self._is_over:
                return

    def _beat(self) -> None:
        # Until it is known how long this thread rests, a job that is added wakes it.
        self._looks_again_at = math.inf
        now, jobs = time.monotonic(), self.running
        self._look(jobs, now)
        self._rest(jobs, now)

    def _look(self, jobs: list[RunningJob], now: float) -> None:
        if self._starts_maintenance_at is not None and now >= self._starts_maintenance_at:
            self._starts_maintenance_at = None
            self.maintenance.start()
        for job in jobs:
            job.attend_to_time(now)
            job.tell_if_overdue(self._grace, now, self.maintenance.hand_over)
        self._schedule.attempt("progress", self.save_all)
        if not jobs:
            self._asked_at = now  # of a new one, all is known
        elif now >= self._asks_again_at - SLACK:
            self._asked_at = now
            self._schedule.attempt("requests", self._obey, jobs)
        self._schedule.run_due(now, has_jobs=bool(jobs))

    @property
    def _asks_again_at(self) -> float:
        return self._asked_at + self._keeper.controls_every

    def _rest(self, jobs: list[RunningJob], now: float) -> None:
        due = [self._schedule.next_due(has_jobs=bool(jobs))]
        due.append(min(now + LONGEST_REST, self._asks_again_at) if jobs else now + IDLE_REST)
        due += [job.next_due() for job in jobs]
        due += [now + WRITE_AGAIN for job in jobs if job.is_unwritten]
        self._looks_again_at = until = min(due)
        self._wake.wait(max(SHORTEST_REST, until - time.monotonic()))
        self._wake.clear()

    def _obey(self, jobs: list[RunningJob]) -> None:
        """Read what is wanted of the jobs, if that may have changed or a job is new."""
        # Read before the controls are, so that what changes meanwhile is seen the next time.
        version = self._keeper.version()
        seen = (version, jobs)
        if version is not None and seen == self._seen:
            return
        controls = {row[0]: row[1:] for row in self._keeper.controls(self._worker)}
        for job in jobs:
            if job in self._jobs:
                job.obey(controls.get(job.claimed.id))
        self._seen = seen
