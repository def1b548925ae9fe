"""`Maintenance`: recovery, pruning and subscribers, in a thread that no running job waits for."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from continuable.events.log import try_to_log
from continuable.progress.protocol import ProgressStore
from continuable.worker.periodic import PeriodicTask, Schedule

LONGEST_REST = 60.0
"""Seconds."""
PRUNING_INTERVAL = 10.0
PRUNED_AT_ONCE = 2000
"""Jobs: dead workers are looked for in between."""


class Maintenance:
    """Does what may take long: it asks a server, sends messages, or calls a user's code.

    The heartbeat never waits for it, so that leases, saves and requests come in time.

    Args:
        worker: The id of this worker.
        tasks: What is to be done.
        begins_at_once: Whether all tasks are done at the start, too.
    """

    def __init__(
        self, worker: str, tasks: Sequence[PeriodicTask] = (), *, begins_at_once: bool = True
    ) -> None:
        self._worker = worker
        self._schedule = Schedule(worker, tasks, begins_at_once=begins_at_once)
        self._handed_over: deque[Callable[[], object]] = deque()
        self._wake = threading.Event()
        self._is_over = False
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self.starts_in = 0.0 if begins_at_once else min((task.every for task in tasks), default=0.0)
        """Seconds after which the thread is needed, if nothing is handed over before."""

    def start(self) -> None:
        """Begin, unless it has begun: a process that runs one short job needs no such thread."""
        with self._starting:
            if self._thread is None and not self._is_over:
                self._thread = threading.Thread(
                    target=self._run, name="continuable-maintenance", daemon=True
                )
                self._thread.start()

    def stop(self) -> None:
        """End, once what is under way or was handed over has been done."""
        if self._handed_over:
            self.start()
        with self._starting:
            self._is_over = True
            thread = self._thread
        self._wake.set()
        if thread is not None:
            thread.join()

    def run_all(self) -> None:
        """Do all tasks at once."""
        self._schedule.make_all_due()
        self.start()
        self._wake.set()

    def hand_over(self, work: Callable[[], object]) -> None:
        """Do `work` soon, in the order in which it was handed over."""
        self._handed_over.append(work)
        self.start()
        self._wake.set()

    def _run(self) -> None:
        while True:  # once at least, however soon it is stopped
            try:
                self._run_once()
            except BaseException:  # noqa: BLE001 - no job is ever recovered without this thread
                message = "The maintenance of %s failed"
                try_to_log(logging.ERROR, message, self._worker, exc_info=True)
            if self._is_over and not self._handed_over:
                return

    def _run_once(self) -> None:
        self._wake.clear()
        while self._handed_over:
            self._schedule.attempt("handed over", self._handed_over.popleft())
        self._schedule.run_due(time.monotonic(), has_jobs=True)
        if not self._is_over:
            rest = self._schedule.next_due(has_jobs=True) - time.monotonic()
            self._wake.wait(min(max(0.0, rest), LONGEST_REST))


def pruning(store: ProgressStore, keep_finished: float) -> PeriodicTask:
    """Forget completed and cancelled jobs after so many seconds, part by part."""
    prune = partial(store.prune, keep_finished, limit=PRUNED_AT_ONCE)
    return PeriodicTask("old jobs", PRUNING_INTERVAL, prune)
