"""The end of a job: what people read of it, and the exit code."""

from __future__ import annotations

import click

from continuable.cli.failures import FAILED
from continuable.cli.showing import phrases
from continuable.model.info import JobInfo, JobResult
from continuable.model.states import State


def exit_code(state: State) -> int:
    """The exit code: 0 for a completed job, else 1."""
    return 0 if state is State.COMPLETED else FAILED


def farewell(job: JobInfo, ending: JobResult) -> None:
    """Print the result of a completed job; of another one its traceback, and what to do."""
    name = phrases.title(job)
    if ending.state is State.COMPLETED:
        if ending.result not in {None, "null"}:
            click.echo(f"{name} returned {ending.result}")
        return
    if ending.traceback:
        click.echo(ending.traceback.rstrip(), err=True)
    sentence = f"{name} {advice(job, ending)}"
    click.echo(f"Error: {sentence}" if ending.state is State.FAILED else sentence, err=True)


def advice(job: JobInfo, ending: JobResult) -> str:
    """The state of a job that did not complete, in words, and what to do."""
    match ending.state:
        case State.FAILED:
            return (
                f"failed {phrases.place(job)} ({ending.error}): mend it, and "
                f"`continuable retry {job.id}` goes on there"
            )
        case State.CANCELLED:
            why = f" ({ending.reason})" if ending.reason not in {None, "cancelled"} else ""
            return f"was cancelled{why} {phrases.place(job)}: `continuable retry {job.id}` goes on"
        case State.PAUSED:
            return f"was paused {phrases.place(job)}: `continuable resume {job.id}` lets it go on"
    why = f" ({ending.reason})" if ending.reason else ""
    return f"is {ending.state}{why} {phrases.place(job)}: `continuable show {job.id}` tells more"
