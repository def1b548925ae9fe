"""`continuable run`: one job in this terminal; the same command resumes it."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import click

from continuable.app import App
from continuable.cli import options
from continuable.cli.failures import CTRL_C, WRONG_USAGE, Failure
from continuable.cli.reading.arguments import read_arguments
from continuable.cli.reading.loading import embedded_queue
from continuable.cli.reading.naming import find_job
from continuable.cli.reading.targets import app_and_job
from continuable.cli.showing import phrases
from continuable.cli.showing.documents import ending_document, print_json
from continuable.cli.showing.endings import exit_code, farewell
from continuable.cli.showing.views import View
from continuable.cli.showing.watching import Spectator, view
from continuable.declaration.definition import JobDefinition
from continuable.errors import JobNotFoundError
from continuable.model.info import JobInfo
from continuable.model.states import State
from continuable.queues.embedded import EmbeddedQueue
from continuable.queues.embedded.foreground import run_here
from continuable.queues.embedded.liveness import dead_workers

HEAD_START = 60.0
"""Seconds before a worker may take the job: it runs here, unless this process dies."""
DIGEST_LENGTH = 10
LONGEST_NAME = 100


@options.verb("run")
@options.words("[MODULE:APP] JOB [ARGS]...")
@options.option("--id", "job_id", help="The job's id; by default it follows from JOB and ARGS.")
@options.as_json
def command(words: tuple[str, ...], job_id: str | None, *, as_json: bool) -> None:
    """Run one job in this terminal, with a live bar.

    Ctrl-C interrupts it at its next checkpoint, and the same command resumes it there. A job that
    has failed goes on from its last checkpoint, one that has ended otherwise begins anew.

    JOB is the job's name or the last part of it. ARGS are JSON where they are JSON and text
    otherwise; key=value is passed by keyword. Write -- before arguments that begin with a dash.
    """
    app, name, arguments = app_and_job(words)
    queue = embedded_queue(app, "run")
    job = find_job(app, name)
    args, kwargs = read_arguments(job, arguments)
    plain = job.plain_arguments(args, kwargs)
    if job_id is None:
        job_id = derived_id(job, plain)
    try:
        enqueuer = job.using(id=job_id, wait=HEAD_START)
    except ValueError as error:
        raise Failure(str(error), WRONG_USAGE) from None
    try:
        found = queue.table.find(job_id)
    except JobNotFoundError:
        enqueuer.enqueue(*args, **kwargs)
    else:
        refuse_other_job(found, job, plain)
        say(prepare(queue, found))
    run_and_show(app, job_id, as_json=as_json)


def derived_id(job: JobDefinition[..., Any], plain_arguments: str) -> str:
    """The id of a run: `process_import-3f9a1c2b55`, the same for the same job and arguments."""
    digest = hashlib.sha256(f"{job.name}\n{plain_arguments}".encode()).hexdigest()
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", phrases.short_name(job.name))
    return f"{name[:LONGEST_NAME]}-{digest[:DIGEST_LENGTH]}"


def refuse_other_job(found: JobInfo, job: JobDefinition[..., Any], plain_arguments: str) -> None:
    """Raise `Failure` if the job that has the id has another name, or other arguments."""
    if found.name != job.name:
        raise Failure(
            f"The id {found.id!r} is that of a {found.name} job: choose another --id", WRONG_USAGE
        )
    if found.arguments != plain_arguments:
        raise Failure(
            f"Job {found.id!r} was enqueued with other arguments, {found.arguments}: "
            f"repeat those, or choose another --id",
            WRONG_USAGE,
        )


def prepare(queue: EmbeddedQueue, found: JobInfo) -> str:
    """Make an existing job ready to run, and return a sentence on that.

    `Failure` if a worker runs it.
    """
    name = phrases.title(found)
    if found.state is State.FAILED:
        queue.board.request(found.id, "retry")
        return f"{name} has failed before: it goes on {phrases.place(found)}"
    if found.state.is_finished:
        queue.board.request(found.id, "restart")
        return f"{name} was {found.state} before: it begins anew"
    if found.worker and found.state.is_running:
        if not dead_workers(queue.database.path, [found.worker]):
            raise Failure(
                f"Job {found.id!r} is {found.state} on worker {found.worker}: "
                f"`continuable watch {found.id}` shows it"
            )
        queue.table.reclaim([found.worker])
    return f"{name} goes on {phrases.place(found)}" if found.progress else ""


def run_and_show(app: App, job_id: str, *, as_json: bool) -> None:
    """Run the job in this process, show it meanwhile, and exit with its exit code."""
    board = app.queue.board
    try:
        with Spectator(lambda: [board.find(job_id)], View() if as_json else view()):
            ending = run_here(app.queue, job_id)
    except KeyboardInterrupt:
        left = board.find(job_id)
        say(f"Interrupted {phrases.place(left)}: the same command resumes it")
        raise click.exceptions.Exit(CTRL_C) from None
    ended = board.find(job_id)
    if as_json:
        print_json(ending_document(ended, ending))
    else:
        farewell(ended, ending)
    raise click.exceptions.Exit(exit_code(ending.state))


def say(sentence: str) -> None:
    """Print a sentence on stderr, so that a pipe gets the result only; skip an empty one."""
    if sentence:
        click.echo(sentence, err=True)
