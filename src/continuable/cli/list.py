"""`continuable list`: the jobs, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from continuable.app import App
from continuable.cli import options
from continuable.cli.reading.naming import names_meant
from continuable.cli.reading.targets import app_of
from continuable.cli.showing import phrases
from continuable.cli.showing.bars import STYLES
from continuable.cli.showing.documents import job_document, print_json
from continuable.model.info import JobInfo
from continuable.model.states import State
from continuable.queues.embedded import EmbeddedQueue

WIDE = 1000
"""Columns in a pipe, so that no line is cut."""


@options.verb("list")
@options.words("[MODULE:APP]", required=False)
@options.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([state.value for state in State]),
    help="Only jobs in this state; may be given several times (with blanks in the variable).",
)
@options.option("--queue", metavar="NAME", help="Only jobs of this queue.")
@options.option("--job", metavar="NAME", help="Only jobs of this name.")
@options.option("--limit", type=click.IntRange(1), default=50, help="How many at most.")
@options.as_json
def command(
    words: tuple[str, ...],
    states: tuple[str, ...],
    queue: str | None,
    job: str | None,
    limit: int,
    *,
    as_json: bool,
) -> None:
    """List jobs, the newest first."""
    app = app_of(words)
    found: list[JobInfo] = app.queue.board.list(
        states=[State(state) for state in states] or None,
        queue=queue,
        name=full_name(app, job),
        limit=limit + 1,
    )
    jobs = found[:limit]
    if as_json:
        print_json([job_document(info) for info in jobs])
        return
    if not jobs:
        kind = "such jobs" if states or queue or job else "jobs"
        here = app.queue
        place = here.database.path if isinstance(here, EmbeddedQueue) else type(here).__name__
        click.echo(f"No {kind} in {place}", err=True)
        return
    print_table(jobs)
    if len(found) > limit:
        click.echo(f"There are more: --limit {limit * 10} shows up to that many.", err=True)


def full_name(app: App, name: str | None) -> str | None:
    """The name of the one job that `name` means; `name` itself if there is no such job."""
    meant = [] if name is None else names_meant(app, name)
    return meant[0] if len(meant) == 1 else name


def print_table(jobs: Sequence[JobInfo]) -> None:
    """Print a table with a line for each job."""
    now = datetime.now(UTC)
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDE)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("ID", "JOB", "STATE", "AT", "DONE", "RESUMED", "QUEUE", "ENQUEUED"):
        table.add_column(name, no_wrap=not console.is_terminal)
    for job in jobs:
        table.add_row(
            job.id,
            job.name,
            Text(phrases.standing(job, now), style=STYLES[job.state]),
            " ".join(filter(None, (job.step, phrases.cursor(job)))),
            " ".join(filter(None, (phrases.percentage(job), phrases.count(job)))),
            f"{job.resumptions} x" if job.resumptions else "",
            job.queue,
            phrases.ago(job.enqueued_at, now),
        )
    console.print(table)
