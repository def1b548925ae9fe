"""`Screen`: live bars on a terminal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Self

from rich.console import Console, Group
from rich.live import Live

from continuable.cli.showing.bars import drawn
from continuable.cli.showing.pace import Pace
from continuable.model.info import JobInfo


class Screen:
    """Draws jobs in place, each with its bar; what the jobs print goes above."""

    def __init__(self, console: Console | None = None) -> None:
        self._live = Live(
            console=console or Console(), auto_refresh=False, vertical_overflow="crop"
        )
        self._paces: defaultdict[str, Pace] = defaultdict(Pace)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, jobs: Sequence[JobInfo]) -> None:
        """Draw how `jobs` stand now."""
        now = datetime.now(UTC)
        for job in jobs:
            self._paces[job.id].observe(job)
        for job_id in self._paces.keys() - {job.id for job in jobs}:
            del self._paces[job_id]
        parts = [drawn(job, self._paces[job.id], now) for job in jobs]
        self._live.update(Group(*(parts or ["Nothing to watch."])), refresh=True)
