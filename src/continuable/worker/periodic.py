"""What a worker process does now and then, and what becomes of its troubles."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ParamSpec

from continuable.errors import StoreError
from continuable.events.log import try_to_log

logger = logging.getLogger("continuable")

P = ParamSpec("P")

SLACK = 0.02
"""Seconds by which a task is done too soon, to be done together with another: each time that a
thread wakes, it holds up those of the jobs."""


@dataclass(eq=False, slots=True)
class PeriodicTask:
    """Something that is to be done now and then."""

    name: str
    """What a trouble with it is remembered by."""
    every: float
    """Seconds between two times."""
    work: Callable[[], object]
    is_for_jobs: bool = False
    """Whether it is of use only while jobs are running."""


class Schedule:
    """When periodic tasks are due. An exception of one leaves the others as they are.

    Args:
        worker: The id of this worker, for the log.
        tasks: What is to be done.
        begins_at_once: Whether all tasks are due at the start, too.
    """

    def __init__(self, worker: str, tasks: Sequence[PeriodicTask], *, begins_at_once: bool) -> None:
        self._worker = worker
        self._done_at = dict.fromkeys(tasks, time.monotonic())
        self._is_all_due = begins_at_once
        self._reported: dict[str, str] = {}

    def make_all_due(self) -> None:
        """Do all tasks at the next look."""
        self._is_all_due = True

    def run_due(self, now: float, *, has_jobs: bool) -> None:
        """Do what is due at `now` (monotonic seconds)."""
        if is_all_due := self._is_all_due:  # else it stays as it is: it may be set just now
            self._is_all_due = False
        for task in self._of_use(has_jobs=has_jobs):
            if is_all_due or now >= self._done_at[task] + task.every - SLACK:
                self._done_at[task] = now
                self.attempt(task.name, task.work)

    def next_due(self, *, has_jobs: bool) -> float:
        """When the next task is due (monotonic seconds)."""
        due = [self._done_at[task] + task.every for task in self._of_use(has_jobs=has_jobs)]
        return min(due, default=math.inf)

    def attempt(
        self, name: str, work: Callable[P, object], *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Do `work`, which may be tried again at the next look; log a trouble of a kind once."""
        try:
            work(*args, **kwargs)
        except StoreError as error:
            text = str(error)
            if text not in self._reported.values():
                logger.error("Jobs go on, and it is tried again: %s", text)  # noqa: TRY400
            self._reported[name] = text
        except BaseException:  # noqa: BLE001 - of a queue's or a store's, which may call a user's code
            # The jobs go on, and the next look may find it mended.
            message = "The task %r of worker %s failed"
            try_to_log(logging.ERROR, message, name, self._worker, exc_info=True)
        else:
            self._reported.pop(name, None)

    def _of_use(self, *, has_jobs: bool) -> list[PeriodicTask]:
        return [task for task in self._done_at if has_jobs or not task.is_for_jobs]
