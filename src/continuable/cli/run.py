"""`continuable run`: one job in this terminal; the same command resumes it."""

from __future__ import annotations

import click

from continuable.app import App
from continuable.cli import options
from continuable.cli.failures import CTRL_C, Failure
from continuable.cli.reading.arguments import read_arguments
from continuable.cli.reading.embedded import embedded_queue
from continuable.cli.reading.identity import derived_id, refuse_other_job
from continuable.cli.reading.naming import find_job
from continuable.cli.reading.targets import app_and_job
from continuable.cli.showing import phrases
from continuable.cli.showing.documents import ending_document, print_json
from continuable.cli.showing.endings import exit_code, farewell
from continuable.cli.showing.views import View
from continuable.cli.showing.watching import Spectator, view
from continuable.errors import JobNotFoundError
from continuable.model.info import JobInfo
from continuable.model.states import State
from continuable.queues.embedded import EmbeddedQueue
from continuable.queues.embedded.foreground import run_here
from continuable.queues.embedded.liveness import dead_workers

HELD = 60.0
"""Seconds before a worker may take the job: it is to be run here, unless this process dies."""


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
    queue = embedded_queue(app, "`run`")
    job = find_job(app, name)
    args, kwargs = read_arguments(job, arguments)
    plain = job.plain_arguments(args, kwargs)
    job_id = job_id or derived_id(job, plain)
    try:
        found = queue.table.find(job_id)
    except JobNotFoundError:
        job.using(id=job_id, wait=HELD).enqueue(*args, **kwargs)
    else:
        refuse_other_job(found, job, plain)
        say(prepare(queue, found))
    run_and_show(app, job_id, as_json=as_json)


def prepare(queue: EmbeddedQueue, found: JobInfo) -> str:
    """Make a job that is there ready to run; what that means for it.

    `Failure` where a worker runs it.
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
    """Run the job here, show it meanwhile, and exit as it ended."""
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
    """Tell the person, not the pipe."""
    if sentence:
        click.echo(sentence, err=True)
