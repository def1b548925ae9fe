"""`continuable discard`: forget one job."""

from __future__ import annotations

import click

from continuable.cli import options
from continuable.cli.failures import Failure
from continuable.cli.reading.embedded import embedded_queue
from continuable.cli.reading.targets import app_and_id
from continuable.cli.showing.documents import print_json


@options.verb("discard")
@options.words("[MODULE:APP] ID")
@options.as_json
def command(words: tuple[str, ...], *, as_json: bool) -> None:
    """Forget one job, which must not be running.

    Its progress, its result and its history go with it.
    """
    app, job_id = app_and_id(words)
    table = embedded_queue(app, "`discard`").table
    state = table.find(job_id).state
    if state.is_running:
        raise Failure(f"Job {job_id!r} is {state}: `continuable cancel {job_id}` comes first")
    table.discard(job_id)
    if as_json:
        print_json({"discarded": job_id})
    else:
        click.echo(f"Job {job_id} is forgotten; it was {state}")
