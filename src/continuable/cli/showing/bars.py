"""Jobs drawn on a terminal, with a bar where the total is known; `Screen` draws them live."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from continuable.cli.showing import phrases
from continuable.cli.showing.pace import Pace
from continuable.cli.showing.views import View
from continuable.model.info import JobInfo
from continuable.model.states import State

BAR_WIDTH = 30

STYLES = {
    State.WAITING: "dim",
    State.RUNNING: "cyan",
    State.INTERRUPTED: "yellow",
    State.PAUSING: "yellow",
    State.PAUSED: "yellow",
    State.CANCELLING: "magenta",
    State.CANCELLED: "magenta",
    State.FAILED: "red",
    State.COMPLETED: "green",
}


class Screen(View):
    """A view that draws jobs in place on a terminal; what the jobs print goes above."""

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
        """Draw the jobs as they are now."""
        now = datetime.now(UTC)
        for job in jobs:
            self._paces[job.id].observe(job)
        for job_id in self._paces.keys() - {job.id for job in jobs}:
            del self._paces[job_id]
        parts = [drawn(job, self._paces[job.id], now) for job in jobs]
        self._live.update(Group(*(parts or ["Nothing to watch."])), refresh=True)


def drawn(job: JobInfo, pace: Pace, now: datetime) -> RenderableType:
    """A job with its completed steps, the progress of the current one, and its last error."""
    parts: list[RenderableType] = [headline(job, now)]
    if job.completed:
        parts.append(Text("  " + "  ".join(f"✓ {name}" for name in job.completed), style="green"))
    if job.step is not None:
        parts.append(current_step(job, pace))
    if job.error and job.state is not State.COMPLETED:
        parts.append(Text(f"  {job.error}", style="red"))
    return Group(*parts)


def headline(job: JobInfo, now: datetime) -> Text:
    """The job's name, id and state, with its resumptions; at the end, with its duration."""
    line = Text.assemble((phrases.title(job), "bold"), "  ")
    line.append(phrases.standing(job, now), style=STYLES[job.state])
    if job.resumptions:
        line.append(f"  {phrases.resumptions(job)}", style="dim")
    if job.state is State.COMPLETED and job.started_at and job.finished_at:
        seconds = (job.finished_at - job.started_at).total_seconds()
        line.append(f"  in {phrases.span(seconds)}", style="dim")
    return line


def current_step(job: JobInfo, pace: Pace) -> RenderableType:
    """The current step with its bar and its measures, in a line."""
    cells: list[RenderableType] = [Text(f"  ▸ {job.step}", style=STYLES[job.state])]
    known = phrases.fraction(job)
    if known is not None:
        bar = ProgressBar(total=1.0, completed=known, width=BAR_WIDTH)
        cells += [bar, Text(phrases.percentage(job), style="bold")]
    cells += [Text(word) for word in measures(job, pace) if word]
    grid = Table.grid(padding=(0, 2, 0, 0))
    for _ in cells:
        grid.add_column(no_wrap=True)
    grid.add_row(*cells)
    return grid


def measures(job: JobInfo, pace: Pace) -> list[str]:
    """Count, rate, time left and cursor, each empty where it is unknown."""
    running = job.state.is_running
    left = pace.seconds_left(job) if running else None
    return [
        phrases.count(job),
        phrases.per_second(pace.rate) if running else "",
        "" if left is None else f"{phrases.span(left)} left",
        phrases.cursor(job),
    ]
