"""Jobs as plain lines, for logs and pipes: a line when something has changed, and only then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from continuable.cli.showing import phrases
from continuable.model.info import JobInfo
from continuable.model.states import State

EVERY_SECONDS = 10.0
PARTS = 10
"""A line for each tenth of the total."""


class Lines:
    """What is new about jobs since the last look, as lines."""

    def __init__(self) -> None:
        self._seen: dict[str, JobInfo] = {}
        self._told: dict[str, tuple[JobInfo, datetime]] = {}

    def new(self, jobs: Sequence[JobInfo], now: datetime) -> Iterator[str]:
        """The lines for what `jobs` show now."""
        for job in jobs:
            before = self._seen.get(job.id)
            self._seen[job.id] = job
            for line in self._changes(before, job, now):
                yield f"{phrases.title(job)} {line}"
        shown = {job.id for job in jobs}
        for job_id in self._seen.keys() - shown:
            del self._seen[job_id]
            self._told.pop(job_id, None)

    def _changes(self, before: JobInfo | None, job: JobInfo, now: datetime) -> Iterator[str]:
        known = before.completed if before and len(before.completed) <= len(job.completed) else []
        for step in job.completed[len(known) :]:
            yield f"step {step} completed"
        if self._is_worth_telling(job, now):
            self._told[job.id] = job, now
            words = progress(job)
            yield f"step {job.step}: {words}" if words else f"step {job.step}"
        if before is None or standing_of(before) != standing_of(job):
            yield standing_line(job, now)

    def _is_worth_telling(self, job: JobInfo, now: datetime) -> bool:
        """Whether the step is new, has come another tenth, or has moved since ten seconds ago."""
        if job.step is None or not job.state.is_running:
            return False
        if job.id not in self._told:
            return True
        told, at = self._told[job.id]
        if told.step != job.step:
            return True
        if progress(told) == progress(job):
            return False
        return part(told) != part(job) or (now - at).total_seconds() >= EVERY_SECONDS


def part(job: JobInfo) -> int | None:
    """The tenth of the total that the step is in; `None` where there is no telling."""
    if phrases.fraction(job) is None or job.total is None:
        return None
    return job.done * PARTS // job.total


def progress(job: JobInfo) -> str:
    """`51,000 of 80,000 (63 %), cursor 51001`."""
    share = phrases.percentage(job)
    counted = phrases.count(job) + (f" ({share})" if share else "")
    return ", ".join(filter(None, (counted, phrases.cursor(job))))


def standing_of(job: JobInfo) -> tuple[object, ...]:
    """What makes two looks at a job differ, apart from its progress."""
    return job.state, job.executions, job.run_at


def standing_line(job: JobInfo, now: datetime) -> str:
    """`interrupted (stopping), resumes in 5 s: at 'process_records', cursor 51001`."""
    words = phrases.standing(job, now)
    if job.state is State.RUNNING and job.executions > 1:
        words += f", execution {job.executions}"
    if job.error and job.state in {State.FAILED, State.INTERRUPTED}:
        return f"{words} {phrases.place(job)}: {job.error}"
    if job.state in {State.COMPLETED, State.WAITING}:
        return words
    return f"{words} {phrases.place(job)}"
