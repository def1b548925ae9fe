"""`continuable demo`: the deploy in the middle of an import, shown."""

from __future__ import annotations

from pathlib import Path

import click

from continuable.cli import options

ROWS = 80_000
QUEUES = ("embedded", "celery", "rq", "procrastinate")


@options.verb("demo")
@options.option(
    "--csv",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Import this file, in place of one made up.",
)
@options.option(
    "--queue",
    type=click.Choice(QUEUES, case_sensitive=False),
    default=QUEUES[0],
    help="The queue, and the worker command, that it is shown on.",
)
@options.option("--plain", is_flag=True, help="Without continuations, to see the difference.")
@options.option(
    "--commit/--no-commit",
    default=None,
    show_default="as the queue's own store can",
    help="Save the cursor with the rows, or once a second.",
)
@options.option("--rows", type=click.IntRange(1), default=ROWS, help="How many rows to make up.")
def command(csv: Path | None, rows: int, queue: str, *, plain: bool, commit: bool | None) -> None:
    """Show an import that a deploy and a crash cannot hurt.

    A real worker process is stopped in the middle, as by a deploy, and its successor killed; the
    next one carries on where the rows ended.

    With --queue the workers are those of that engine, on a Redis or PostgreSQL that is started for
    the demo alone: pip install "continuable[celery,demo]". Procrastinate keeps progress where the
    rows are, and commits both together. Celery and RQ keep it in Redis, saved once a second: a kill
    has some rows written again, unless --commit has it kept where the rows are.

    Exits with 0 only if every row is there exactly once. Nothing is left running.
    """
    from continuable.demo import show

    raise click.exceptions.Exit(
        show(csv=csv, rows=rows, queue=queue.lower(), plain=plain, commit=commit)
    )
