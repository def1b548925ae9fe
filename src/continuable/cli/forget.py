"""`continuable discard` and `continuable prune`: forget one job, or the finished ones."""

from __future__ import annotations

import click

from continuable.cli import options
from continuable.cli.failures import Failure
from continuable.cli.reading.durations import duration
from continuable.cli.reading.targets import app_and_id, app_of
from continuable.cli.showing import phrases
from continuable.cli.showing.documents import print_json


@options.verb("discard")
@options.words("[MODULE:APP] ID")
@options.as_json
def discard(words: tuple[str, ...], *, as_json: bool) -> None:
    """Forget one job, which must not be running.

    Its progress, its result and its history go with it. On another engine's queue it must have
    ended, too: a message that waits there would bring it back.
    """
    app, job_id = app_and_id(words)
    board = app.queue.board
    state = board.find(job_id).state
    if state.is_running:
        raise Failure(f"Job {job_id!r} is {state}: `continuable cancel {job_id}` comes first")
    board.discard(job_id)
    if as_json:
        print_json({"discarded": job_id})
    else:
        click.echo(f"Job {job_id} is forgotten; it was {state}")


@options.verb("prune")
@options.words("[MODULE:APP]", required=False)
@options.option(
    "--older-than",
    type=duration,
    required=True,
    help="Only jobs that finished this long ago or earlier: 12h, 30d.",
)
@options.option("--failed", is_flag=True, help="Failed jobs too, which otherwise stay.")
@options.as_json
def prune(words: tuple[str, ...], older_than: float, *, failed: bool, as_json: bool) -> None:
    """Forget completed and cancelled jobs, with results and history."""
    count = app_of(words).queue.board.prune(older_than, failed=failed)
    if as_json:
        print_json({"pruned": count})
    else:
        click.echo(f"{phrases.plural(count, 'finished job')} forgotten")
