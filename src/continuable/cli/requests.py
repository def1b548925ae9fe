"""`continuable pause`, `resume`, `cancel`, `retry` and `restart`."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from continuable.cli import options
from continuable.cli.reading.targets import app_and_id
from continuable.cli.showing import phrases
from continuable.cli.showing.documents import job_document, print_json
from continuable.model.states import State

FOLLOWING = {
    State.PAUSING: "it is held at its next checkpoint",
    State.CANCELLING: "it stops for good at its next checkpoint",
    State.PAUSED: "`continuable resume` lets it carry on",
    State.INTERRUPTED: "the next free worker carries on with it",
    State.WAITING: "the next free worker takes it",
}


def request(verb: str, summary: str) -> click.Command:
    """The command of a verb that requests a change of one job."""

    @options.verb(verb, help=summary)
    @options.words("[MODULE:APP] ID")
    @options.as_json
    def command(words: tuple[str, ...], *, as_json: bool) -> None:
        app, job_id = app_and_id(words)
        job = app.queue.board.request(job_id, verb)
        if as_json:
            print_json(job_document(job))
            return
        following = FOLLOWING.get(job.state)
        sentence = f"{phrases.title(job)} is {phrases.standing(job, datetime.now(UTC))}"
        click.echo(f"{sentence}: {following}" if following else sentence)

    return command


pause = request("pause", "Hold a job, at its next checkpoint if it runs.")
resume = request("resume", "Let a paused job carry on, or an interrupted one at once.")
cancel = request("cancel", "Stop a job for good, at its next checkpoint if it runs.")
retry = request("retry", "Run a failed or cancelled job again, from its last checkpoint.")
restart = request("restart", "Run a job again from the beginning.")
