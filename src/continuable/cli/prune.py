"""`continuable prune`: forget finished jobs."""

from __future__ import annotations

import click

from continuable.cli import options
from continuable.cli.reading.durations import DURATION
from continuable.cli.reading.targets import app_of
from continuable.cli.showing import phrases
from continuable.cli.showing.documents import print_json


@options.verb("prune")
@options.words("[MODULE:APP]", required=False)
@options.option(
    "--older-than",
    type=DURATION,
    required=True,
    help="Only jobs that finished this long ago or earlier: 12h, 30d.",
)
@options.option("--failed", is_flag=True, help="Failed jobs too, which otherwise stay.")
@options.as_json
def command(words: tuple[str, ...], older_than: float, *, failed: bool, as_json: bool) -> None:
    """Forget completed and cancelled jobs, with results and history."""
    count = app_of(words).queue.board.prune(older_than, failed=failed)
    if as_json:
        print_json({"pruned": count})
    else:
        click.echo(f"{phrases.plural(count, 'finished job')} forgotten")
