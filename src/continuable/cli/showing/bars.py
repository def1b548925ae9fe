"""One job as it is drawn on a terminal: a bar only where the total is known."""

from __future__ import annotations

from datetime import datetime

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from continuable.cli.showing import phrases
from continuable.cli.showing.pace import Pace
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


def drawn(job: JobInfo, pace: Pace, now: datetime) -> RenderableType:
    """A job with its steps: what is completed, and how far it is in the current one."""
    parts: list[RenderableType] = [headline(job, now)]
    if job.completed:
        parts.append(Text("  " + "  ".join(f"✓ {name}" for name in job.completed), style="green"))
    if job.step is not None:
        parts.append(current_step(job, pace))
    if job.error and job.state is not State.COMPLETED:
        parts.append(Text(f"  {job.error}", style="red"))
    return Group(*parts)


def headline(job: JobInfo, now: datetime) -> Text:
    """What job it is and where it stands."""
    line = Text.assemble((phrases.title(job), "bold"), "  ")
    line.append(phrases.standing(job, now), style=STYLES[job.state])
    if job.resumptions:
        line.append(f"  {phrases.resumptions(job)}", style="dim")
    if job.state is State.COMPLETED and job.started_at and job.finished_at:
        seconds = (job.finished_at - job.started_at).total_seconds()
        line.append(f"  in {phrases.span(seconds)}", style="dim")
    return line


def current_step(job: JobInfo, pace: Pace) -> RenderableType:
    """The step it is in, in a line."""
    cells: list[RenderableType] = [Text(f"  ▸ {job.step}", style=STYLES[job.state])]
    known = phrases.fraction(job)
    if known is not None:
        cells += [bar(known), Text(phrases.percentage(job), style="bold")]
    cells += [Text(word) for word in measures(job, pace) if word]
    grid = Table.grid(padding=(0, 2, 0, 0))
    for _ in cells:
        grid.add_column(no_wrap=True)
    grid.add_row(*cells)
    return grid


def bar(fraction: float) -> ProgressBar:
    """A bar of fixed width."""
    return ProgressBar(total=1.0, completed=fraction, width=BAR_WIDTH)


def measures(job: JobInfo, pace: Pace) -> list[str]:
    """Count, rate, time left and cursor, each empty where it is not known."""
    running = job.state.is_running
    left = pace.seconds_left(job) if running else None
    return [
        phrases.count(job),
        phrases.per_second(pace.rate) if running else "",
        "" if left is None else f"{phrases.span(left)} left",
        phrases.cursor(job),
    ]
