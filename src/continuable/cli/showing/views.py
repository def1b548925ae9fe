"""Where jobs are shown as they move: bars on a terminal, lines elsewhere, or lines of JSON."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Protocol, Self

import click

from continuable.cli.showing.documents import ending_document, print_json_line
from continuable.cli.showing.lines import Lines
from continuable.errors import JobNotFoundError
from continuable.model.info import JobInfo
from continuable.queues.protocol import Board


class View(Protocol):
    """Shows jobs, again and again."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def show(self, jobs: Sequence[JobInfo]) -> None:
        """Show how `jobs` stand now."""
        ...


class Nothing:
    """Shows nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def show(self, jobs: Sequence[JobInfo]) -> None:
        """Keep quiet."""


class PlainView(Nothing):
    """Writes a line to standard output when something has changed."""

    def __init__(self) -> None:
        self._lines = Lines()

    def show(self, jobs: Sequence[JobInfo]) -> None:
        """Write what is new."""
        for line in self._lines.new(jobs, datetime.now(UTC)):
            click.echo(line)


class JsonView(Nothing):
    """Writes all that is known of a job as a line of JSON when something has changed."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._seen: dict[str, JobInfo] = {}

    def show(self, jobs: Sequence[JobInfo]) -> None:
        """Write the jobs that have changed."""
        for job in jobs:
            if self._seen.get(job.id) != job:
                with suppress(JobNotFoundError):  # forgotten just now
                    print_json_line(ending_document(job, self._board.result(job.id)))
        self._seen = {job.id: job for job in jobs}


def view(*, is_quiet: bool = False) -> View:
    """The view that fits where standard output goes."""
    if is_quiet:
        return Nothing()
    if not sys.stdout.isatty():
        return PlainView()
    from continuable.cli.showing.screen import Screen

    return Screen()
