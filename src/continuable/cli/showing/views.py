"""Views of jobs that move: plain lines, lines of JSON, or none. `Screen` draws bars."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Self

import click

from continuable.cli.showing import phrases
from continuable.cli.showing.documents import ending_document, print_json
from continuable.errors import JobNotFoundError
from continuable.model.info import JobInfo
from continuable.model.states import State
from continuable.queues.protocol import Board

EVERY_SECONDS = 10.0
"""Seconds between two lines of progress within a tenth of the total."""
PARTS = 10
"""Lines of progress in a step with a total."""


class View:
    """A view that shows nothing, and the base of those that do."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def show(self, jobs: Sequence[JobInfo]) -> None:
        """Show the jobs as they are now; called again and again."""


class JsonView(View):
    """A line of JSON for each change of a job, with all that is known of it."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._seen: dict[str, JobInfo] = {}

    def show(self, jobs: Sequence[JobInfo]) -> None:
        """Write the jobs that have changed since the last call."""
        for job in jobs:
            if self._seen.get(job.id) != job:
                with suppress(JobNotFoundError):  # forgotten just now
                    document = ending_document(job, self._board.result(job.id))
                    print_json(document, indent=None)
        self._seen = {job.id: job for job in jobs}


class PlainView(View):
    """Plain lines for logs and pipes: one for each change of a job."""

    def __init__(self) -> None:
        self._seen: dict[str, JobInfo] = {}
        self._told: dict[str, tuple[JobInfo, datetime]] = {}

    def show(self, jobs: Sequence[JobInfo]) -> None:
        """Write the new lines to standard output."""
        for line in self.lines(jobs, datetime.now(UTC)):
            click.echo(line)

    def lines(self, jobs: Sequence[JobInfo], now: datetime) -> Iterator[str]:
        """The lines for what has changed since the last call."""
        for job in jobs:
            before = self._seen.get(job.id)
            self._seen[job.id] = job
            for line in self._changes(before, job, now):
                yield f"{phrases.title(job)} {line}"
        for job_id in self._seen.keys() - {job.id for job in jobs}:
            del self._seen[job_id]
            self._told.pop(job_id, None)

    def _changes(self, before: JobInfo | None, job: JobInfo, now: datetime) -> Iterator[str]:
        known = before.completed if before and len(before.completed) <= len(job.completed) else []
        for step in job.completed[len(known) :]:
            yield f"step {step} completed"
        if self._has_progress(job, now):
            self._told[job.id] = job, now
            words = progress(job)
            yield f"step {job.step}: {words}" if words else f"step {job.step}"
        if before is None or standing_of(before) != standing_of(job):
            yield standing_line(job, now)

    def _has_progress(self, job: JobInfo, now: datetime) -> bool:
        """Is there a new step, another tenth of the total, or a change after ten seconds?"""
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
    """The tenth of the total that the step is in; `None` without a valid total."""
    if phrases.fraction(job) is None or job.total is None:
        return None
    return job.done * PARTS // job.total


def progress(job: JobInfo) -> str:
    """`51,000 of 80,000 (63 %), cursor 51001`."""
    share = phrases.percentage(job)
    counted = phrases.count(job) + (f" ({share})" if share else "")
    return ", ".join(filter(None, (counted, phrases.cursor(job))))


def standing_of(job: JobInfo) -> tuple[object, ...]:
    """The fields of a job whose change is worth a line, apart from progress."""
    return job.state, job.executions, job.run_at


def standing_line(job: JobInfo, now: datetime) -> str:
    """`interrupted (stopping), resumes in 5 s at 'process_records', cursor 51001`."""
    words = phrases.standing(job, now)
    if job.state is State.RUNNING and job.executions > 1:
        words += f", execution {job.executions}"
    if job.error and job.state in {State.FAILED, State.INTERRUPTED}:
        return f"{words} {phrases.place(job)}: {job.error}"
    if job.state in {State.COMPLETED, State.WAITING}:
        return words
    return f"{words} {phrases.place(job)}"
