"""`continuable enqueue`: put a job on the queue."""

from __future__ import annotations

from datetime import datetime

import click

from continuable.cli import options
from continuable.cli.failures import WRONG_USAGE, Failure
from continuable.cli.reading.arguments import read_arguments
from continuable.cli.reading.durations import duration, moment
from continuable.cli.reading.naming import find_job
from continuable.cli.reading.targets import app_and_job
from continuable.cli.showing.documents import print_json


@options.verb("enqueue")
@options.words("[MODULE:APP] JOB [ARGS]...")
@options.option("--in", "wait", type=duration, help="Start after this time: 30s, 10m, 2h, 1d.")
@options.option("--at", type=moment, metavar="TIME", help="Start at this time: 2026-12-24 18:00.")
@options.option("--queue", metavar="NAME", help="In place of the job's own queue.")
@options.option("--priority", type=int, help="In place of the job's own; higher runs first.")
@options.option("--id", "job_id", metavar="ID", help="An id of your choice.")
@options.option("--unique", metavar="KEY", help="One unfinished job at a time has this key.")
@options.as_json
def command(
    words: tuple[str, ...],
    wait: float | None,
    at: datetime | None,
    queue: str | None,
    priority: int | None,
    job_id: str | None,
    unique: str | None,
    *,
    as_json: bool,
) -> None:
    """Put a job on the queue, and print its id.

    JOB is the job's name or the last part of it. ARGS are JSON where they are JSON and text
    otherwise; key=value is passed by keyword. Write -- before arguments that begin with a dash.
    """
    if wait is not None and at is not None:
        raise Failure("--in and --at exclude each other: both say when it starts", WRONG_USAGE)
    app, name, arguments = app_and_job(words)
    job = find_job(app, name)
    args, kwargs = read_arguments(job, arguments)
    try:
        enqueuer = job.using(
            wait=wait or 0.0, at=at, queue=queue, priority=priority, id=job_id, unique=unique
        )
    except ValueError as error:
        raise Failure(str(error), WRONG_USAGE) from None
    handle = enqueuer.enqueue(*args, **kwargs)
    if as_json:
        print_json({"id": handle.id, "is_new": handle.is_new})
        return
    click.echo(handle.id)
    if not handle.is_new:
        click.echo(f"An unfinished job has the key {unique!r} already: this is its id", err=True)
