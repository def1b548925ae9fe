"""`Pace`: the recent rate of a job, without the time in which it was interrupted."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from typing import NamedTuple

from continuable.model.info import JobInfo

WINDOW = 15.0
"""Seconds that the rate is measured over."""


class Sample(NamedTuple):
    """The count of items done, and when it was saved."""

    at: datetime
    done: int


class Pace:
    """The rate of one job, from its progress updates.

    Times are those of the saves. The measurement starts over with each execution and each step;
    after a resume the rate before it holds until there is a new one.
    """

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque()
        self._measured: tuple[int, str | None] | None = None
        self._step: str | None = None
        self.rate: float | None = None
        """Items per second; `None` while it is unknown."""

    def observe(self, job: JobInfo) -> None:
        """Take the job's latest progress update into account."""
        if job.step != self._step:
            self._step, self.rate = job.step, None
        if (job.executions, job.step) != self._measured:
            self._measured = (job.executions, job.step)
            self._samples.clear()
        if job.step is None or job.saved_at is None or not job.state.is_running:
            return
        samples = self._samples
        if samples and (job.saved_at <= samples[-1].at or job.done < samples[-1].done):
            return
        samples.append(Sample(job.saved_at, job.done))
        while len(samples) > 2 and (job.saved_at - samples[0].at).total_seconds() > WINDOW:  # noqa: PLR2004 - a rate takes two
            samples.popleft()
        seconds = (samples[-1].at - samples[0].at).total_seconds()
        if seconds > 0:
            self.rate = (samples[-1].done - samples[0].done) / seconds

    def seconds_left(self, job: JobInfo) -> float | None:
        """Seconds that the step needs at this rate; `None` without a rate or a total."""
        if job.total is None or not self.rate or not 0 <= job.done <= job.total:
            return None
        return (job.total - job.done) / self.rate
