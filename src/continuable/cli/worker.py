"""`continuable worker`: run the jobs of a queue, in one process or several."""

from __future__ import annotations

import logging
import sys

import click

from continuable.app import App
from continuable.cli import options
from continuable.cli.failures import WRONG_USAGE, Failure
from continuable.cli.reading.durations import duration
from continuable.cli.reading.loading import embedded_queue, load_app
from continuable.cli.reading.targets import target_of
from continuable.queues.embedded.supervisor import supervise
from continuable.queues.embedded.worker import Worker, WorkerOptions

LEVELS = ("debug", "info", "warning", "error")
STDIN = 0


@options.verb("worker")
@options.words("[MODULE:APP]", required=False)
@options.option("-Q", "--queues", metavar="A,B", show_default="all", help="Only these queues.")
@options.option("-c", "--threads", type=click.IntRange(1), default=1, help="Jobs at a time.")
@options.option("-p", "--processes", type=click.IntRange(1), default=1, help="Worker processes.")
@options.option(
    "--grace", type=duration, default="30s", help="Time for a checkpoint when it is to stop."
)
@options.option("--drain", is_flag=True, help="Stop when there is no work left.")
@options.option(
    "--log-level",
    type=click.Choice(LEVELS, case_sensitive=False),
    default="info",
    help="What to log.",
)
@click.option("--supervised", is_flag=True, hidden=True)
def command(
    words: tuple[str, ...],
    queues: str | None,
    threads: int,
    processes: int,
    grace: float,
    log_level: str,
    *,
    drain: bool,
    supervised: bool,
) -> None:
    """Work on the queue, until a signal.

    SIGTERM or SIGINT: take no more jobs, interrupt the running ones at their next checkpoint, hand
    them back and exit. A second signal, or the end of the grace: at once; such a job resumes from
    what was saved last.
    """
    target = target_of(words)
    set_up_logging(log_level)
    chosen = WorkerOptions(
        queues=names_of(queues),
        threads=threads,
        grace=grace,
        drain=drain,
        control=STDIN if supervised else None,
    )
    app = checked(load_app(target))
    if processes == 1:
        raise click.exceptions.Exit(Worker(app.queue, chosen).run())
    raise click.exceptions.Exit(supervise(command_line(target, chosen, log_level), processes))


def checked(app: App) -> App:
    """The app; `Failure` before any process starts if a worker cannot run its jobs."""
    queue = embedded_queue(app, "worker")
    if not app.jobs:
        raise Failure("The app has no jobs: name the app in the module with its jobs", WRONG_USAGE)
    queue.database.open()
    return app


def names_of(queues: str | None) -> tuple[str, ...] | None:
    """The names of the queues in `a,b`; `None` for all queues."""
    if queues is None:
        return None
    names = tuple(name.strip() for name in queues.split(",") if name.strip())
    if not names:
        raise Failure("-Q takes the names of queues: -Q imports,mail", WRONG_USAGE)
    return names


def set_up_logging(level: str) -> None:
    """Log time, level and message to stderr."""
    logging.basicConfig(
        level=level.upper(),
        format="%(asctime)s %(levelname)-7s %(message)s",
        stream=sys.stderr,
    )


def command_line(target: str, chosen: WorkerOptions, log_level: str) -> list[str]:
    """The command of one of several processes: every option is given, to win over variables."""
    line = [sys.executable, "-m", "continuable", "worker", target, "--supervised"]
    line += ["-p", "1", "-c", str(chosen.threads), "--grace", f"{chosen.grace:f}"]
    line += ["--log-level", log_level]
    if chosen.queues is not None:
        line += ["-Q", ",".join(chosen.queues)]
    if chosen.drain:
        line.append("--drain")
    return line
