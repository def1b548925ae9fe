"""The one thread of a worker process that minds its running jobs: time, saves, requests."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ParamSpec

from continuable.errors import StoreError
from continuable.events.log import try_to_log
from continuable.progress.protocol import Keeper
from continuable.worker.run import RunningJob

logger = logging.getLogger("continuable")

P = ParamSpec("P")

LONGEST_REST = 0.5
"""Seconds while jobs are running: one may come to no checkpoint, which has no time of its own."""
IDLE_REST = 0.25
"""Seconds while none are: for so long, a new one need not wake this thread."""
SHORTEST_REST = 0.005
SLACK = 0.02
"""Seconds by which a thing is done too soon, to be done together with another: each time that this
thread wakes, it holds up those of the jobs."""
WRITE_WAIT = 1.0
"""Seconds to wait for the database's lock."""
WRITE_AGAIN = 0.1
"""Seconds after which it is tried again."""


@dataclass(eq=False, slots=True)
class Duty:
    """Something else that is to be done now and then."""

    kind: str
    """What a trouble with it is remembered by."""
    every: float
    """Seconds between two times."""
    work: Callable[[], object]
    is_for_jobs: bool = False
    """Whether it is of use only while jobs are running."""


class Watcher:
    """Raises the flags of the jobs of one process and does their waiting for the disk.

    It rests until something is due, or a job has handed something over.

    Args:
        keeper: Where progress is kept.
        worker: The id of this worker.
        grace: Seconds that a shutdown grants: a job that goes longer without a checkpoint is told.
        duties: What else is to be done.
        begins_at_once: Whether all duties are done at the start, too.
    """

    def __init__(
        self,
        keeper: Keeper,
        worker: str,
        grace: float,
        duties: Sequence[Duty] = (),
        *,
        begins_at_once: bool = True,
    ) -> None:
        self._keeper = keeper
        self._worker = worker
        self._grace = grace
        self._duties = dict.fromkeys(duties, time.monotonic())
        self._does_all = begins_at_once
        # By themselves: a job that is restarted while it runs may run twice here for a moment.
        self._jobs: dict[RunningJob, None] = {}
        self._wake = threading.Event()
        self._is_over = False
        self._looks_again_at = math.inf
        self._asked_at = -math.inf
        self._seen: tuple[object, list[RunningJob]] | None = None
        self._reported: dict[str, str] = {}
        self._thread = threading.Thread(target=self._watch, name="continuable-watcher", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Watch no more, once what is under way has been done."""
        self._is_over = True
        self.wake()
        # To its very end, and not only that of its work: it still has connections to close then.
        self._thread.join()

    def do_all(self) -> None:
        """Do all duties at once."""
        self._does_all = True
        self.wake()

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
                job.write(WRITE_WAIT)
            except BaseException as error:  # noqa: BLE001 - the trouble of one job is not another's
                failed = error
        if failed is not None:
            raise failed

    @property
    def running(self) -> list[RunningJob]:
        """The jobs that run now."""
        return list(self._jobs)

    def _watch(self) -> None:
        while True:  # once at least, however soon it is stopped
            try:
                self._watch_once()
            except BaseException:  # noqa: BLE001 - every job of this process needs this thread
                try_to_log(logging.ERROR, "The watcher of %s failed", self._worker, exc_info=True)
                self._wake.wait(IDLE_REST)
            if self._is_over:
                return

    def _watch_once(self) -> None:
        # Until it is known how long this thread rests, a job that is added wakes it.
        self._looks_again_at = math.inf
        now, jobs = time.monotonic(), self.running
        self._look(jobs, now)
        self._rest(jobs, now)

    def _look(self, jobs: list[RunningJob], now: float) -> None:
        for job in jobs:
            job.attend_to_time(now)
            job.tell_if_overdue(self._grace, now)
        self._try("progress", self.save_all)
        if not jobs:
            self._asked_at = now  # of a new one, all is known
        elif now >= self._asks_again_at - SLACK:
            self._asked_at = now
            self._try("requests", self._obey, jobs)
        if does_all := self._does_all:  # else it stays as it is: it may be set just now
            self._does_all = False
        for duty in self._duties_of(jobs):
            if does_all or now >= self._duties[duty] + duty.every - SLACK:
                self._duties[duty] = now
                self._try(duty.kind, duty.work)

    @property
    def _asks_again_at(self) -> float:
        return self._asked_at + self._keeper.controls_every

    def _duties_of(self, jobs: list[RunningJob]) -> list[Duty]:
        return [duty for duty in self._duties if jobs or not duty.is_for_jobs]

    def _try(self, kind: str, work: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Do `work`, which may be tried again at the next look; log a trouble of a kind once."""
        try:
            work(*args, **kwargs)
        except StoreError as error:
            text = str(error)
            if text not in self._reported.values():
                logger.error("Jobs go on, and it is tried again: %s", text)  # noqa: TRY400
            self._reported[kind] = text
        except BaseException:  # noqa: BLE001 - of a queue's or a store's, which may call a user's code
            # Whatever it is, the jobs go on and the next look may find it mended.
            try_to_log(logging.ERROR, "The watcher of %s failed", self._worker, exc_info=True)
        else:
            self._reported.pop(kind, None)

    def _rest(self, jobs: list[RunningJob], now: float) -> None:
        due = [self._duties[duty] + duty.every for duty in self._duties_of(jobs)]
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
