"""What the jobs on the queue tell of the code: whether it is there, and how it has behaved."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from continuable.app import App
from continuable.cli.health.finding import Finding, ok, problem, warning
from continuable.cli.showing import phrases
from continuable.model.info import JobInfo
from continuable.model.states import FINISHED, State
from continuable.queues.embedded import EmbeddedQueue
from continuable.queues.protocol import Board, Queue

UNFINISHED = frozenset(State) - FINISHED
STARTED = frozenset(State) - {State.WAITING}
LOOKS_AT = 1000
"""Jobs, the newest ones: enough to know, few enough to look at."""


def without_code(app: App, board: Board) -> Iterator[Finding]:
    """The jobs that no worker of this app can run."""
    gone = sorted(set(unfinished_names(app.queue, board)) - app.jobs.keys())
    if not gone:
        yield ok("code", "Every unfinished job has its code here")
    for name in gone:
        count = len(board.list(states=UNFINISHED, name=name, limit=LOOKS_AT))
        jobs = phrases.plural(count, "job") if count < LOOKS_AT else f"{LOOKS_AT:,} jobs or more"
        yield problem(
            "code",
            f"No job is registered as {name!r} here, and {jobs} of that name "
            f"{'is' if count == 1 else 'are'} not finished: {remedy(app, name)}; "
            f"`continuable list --job {name}` shows them",
        )


def unfinished_names(queue: Queue, board: Board) -> Collection[str]:
    """The names of all jobs that are not finished, or where that is too much, of the newest."""
    if isinstance(queue, EmbeddedQueue):
        return queue.table.names()
    return {job.name for job in board.list(states=UNFINISHED, limit=LOOKS_AT)}


def remedy(app: App, name: str) -> str:
    """What to do about a job without code."""
    short = phrases.short_name(name)
    namesakes = [known for known in app.jobs if phrases.short_name(known) == short]
    if namesakes:
        return f"if {namesakes[0]!r} is the same, register it under name={name!r}"
    return (
        f"deploy the release that has it, import its module in the app's, "
        f"or register what replaces it under name={name!r}"
    )


def gaps(board: Board, grace: float) -> Iterator[Finding]:
    """The jobs that a shutdown would not have waited for."""
    longest: dict[str, JobInfo] = {}
    for job in board.list(states=STARTED, limit=LOOKS_AT):
        known = longest.setdefault(job.name, job)
        if job.longest_gap > known.longest_gap:
            longest[job.name] = job
    late = [job for job in longest.values() if job.longest_gap > grace]
    if not late:
        yield ok("checkpoints", f"No job was seen to go {grace:g} s without a checkpoint")
    for job in sorted(late, key=lambda job: job.longest_gap, reverse=True):
        yield warning(
            "checkpoints",
            f"Job {job.name!r} went {job.longest_gap:.1f} s without a checkpoint ({job.id}), and a "
            f"shutdown grants {grace:g} s: call `step.checkpoint()` more often in what takes "
            f"so long, or give workers a longer --grace",
        )
