"""`continuable watch`: jobs as they move."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import click

from continuable.cli import options
from continuable.cli.reading.targets import app_and_maybe_id
from continuable.cli.showing.endings import exit_code, farewell
from continuable.cli.showing.views import JsonView
from continuable.cli.showing.watching import view, watch
from continuable.errors import JobNotFoundError
from continuable.model.info import JobInfo
from continuable.model.states import State
from continuable.queues.protocol import Board

AT_ONCE = 20
"""The most unfinished jobs that are shown, running ones first, and the most ended ones."""
ACTIVE = (State.RUNNING, State.PAUSING, State.CANCELLING, State.INTERRUPTED, State.PAUSED)


@options.verb("watch")
@options.words("[MODULE:APP] [ID]", required=False)
@options.as_json
def command(words: tuple[str, ...], *, as_json: bool) -> None:
    """Watch one job until it ends, or all of them until Ctrl-C.

    On a terminal: live bars with step, cursor, percentage or count, rate and time left. Elsewhere:
    a line when something changes. With --json: a line of JSON when something changes.
    """
    app, job_id = app_and_maybe_id(words)
    board = app.queue.board
    shown = JsonView(board) if as_json else view()
    if job_id is None:
        watch(ActiveJobs(board), shown, until=lambda _job: False)
        return
    watch(lambda: [board.find(job_id)], shown, until=lambda job: job.state.is_finished)
    ending = board.result(job_id)
    if not as_json:
        farewell(board.find(job_id), ending)
    raise click.exceptions.Exit(exit_code(ending.state))


class ActiveJobs:
    """The unfinished jobs at each call, and those that have ended between two calls."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._ids: set[str] = set()
        self._ended: dict[str, JobInfo] = {}

    def __call__(self) -> Sequence[JobInfo]:
        """The jobs now; those that have ended are last."""
        found = self._board.list(states=ACTIVE, limit=AT_ONCE)
        if len(found) < AT_ONCE:
            found += self._board.list(states=[State.WAITING], limit=AT_ONCE - len(found))
        ids = {job.id for job in found}
        for job_id in self._ids - ids:
            with suppress(JobNotFoundError):  # it was discarded
                job = self._board.find(job_id)
                if job.state.is_finished:
                    self._ended[job_id] = job
        for job_id in self._ended.keys() & ids:
            del self._ended[job_id]
        for job_id in [*self._ended][:-AT_ONCE]:
            del self._ended[job_id]
        self._ids = ids
        return [*found, *self._ended.values()]
