"""What can be known of an app and its jobs without running a job: the findings of `check`."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from continuable.app import App
from continuable.cli.showing import phrases
from continuable.core.interrupt import LOST
from continuable.errors import QueueError, SerializationError
from continuable.model.info import JobInfo
from continuable.model.states import FINISHED, ON_QUEUE, RUNNING, State
from continuable.progress.row import DEFAULT_QUEUE
from continuable.queues.embedded import EmbeddedQueue
from continuable.queues.embedded.liveness import live_workers
from continuable.queues.engine import EngineQueue
from continuable.queues.protocol import Board, Queue
from continuable.sqlite.location import SCHEME

NEED_A_WORKER = RUNNING | ON_QUEUE
"""The states of jobs that go on only with a worker."""
UNFINISHED = frozenset(State) - FINISHED
STARTED = frozenset(State) - {State.WAITING}
LOOKS_AT = 1000
"""How many jobs are looked at, from the newest on."""


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    """Works now, and may fail later."""
    PROBLEM = "problem"
    """Does not work."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding; the sentence of a warning or a problem says what to do about it."""

    level: Level
    subject: str
    """`app`, `arguments`, `store`, `workers`, `messages`, `code` or `checkpoints`."""
    sentence: str


ok = partial(Finding, Level.OK)
warning = partial(Finding, Level.WARNING)
problem = partial(Finding, Level.PROBLEM)


def examine(app: App, target: str, grace: float) -> Iterator[Finding]:
    """The findings on code, store, workers and jobs, in this order; a bad store is the last one.

    Nothing is created, changed or run. `target`: the app as it was typed. `grace`: seconds that a
    shutdown grants a job.
    """
    has_code = not target.startswith(SCHEME)
    if has_code:
        yield from registered(app, target)
        yield from defaults(app)
    else:
        yield warning("app", f"{target} has no code: name MODULE:APP to have that looked at, too")
    try:
        yield from stored(app, target, grace, has_code=has_code)
    except QueueError as error:
        yield problem("store", str(error))
    except OSError as error:
        away = f"{type(app.queue).__name__} cannot be reached ({error})"
        yield problem("store", f"{away}: see that its server runs, and where the app looks for it")


def registered(app: App, target: str) -> Iterator[Finding]:
    """The jobs of the app, and those of them whose names other processes may not know."""
    if not app.jobs:
        yield problem(
            "app", f"{target} has no jobs: name the app in the module with its jobs, or import them"
        )
        return
    yield ok("app", f"{target} has {phrases.plural(len(app.jobs), 'job')}")
    for name in app.jobs:
        if "<" in name:  # `<locals>` or `<lambda>`
            yield warning(
                "app",
                f"Job {name!r} is called after a place inside of other code, where it is lost "
                f"when that code changes: give it name=",
            )


def defaults(app: App) -> Iterator[Finding]:
    """The defaults of jobs' parameters that could not be given as arguments."""
    bad = []
    for job in app.jobs.values():
        for parameter in inspect.signature(job.function).parameters.values():
            if parameter.default is parameter.empty:
                continue
            what = f"The default of {parameter.name!r}, a parameter of job {job.name!r},"
            try:
                app.codec.dumps(parameter.default, what)
            except SerializationError as error:
                bad.append(warning("arguments", str(error)))
    if app.jobs and not bad:
        yield ok("arguments", "Every default of a job's parameters can be kept")
    yield from bad


def stored(app: App, target: str, grace: float, *, has_code: bool) -> Iterator[Finding]:
    """The findings on the store and its jobs. Raises `QueueError` or `OSError` if it is away."""
    queue, board = app.queue, app.queue.board
    if isinstance(queue, EmbeddedQueue):
        if not queue.database.path.exists():
            yield missing(queue)
            return
        queue.database.try_writing()
        yield ok("store", f"{queue.database.path} can be read and written")
        yield from workers(queue, target)
    else:
        board.counts()
        yield ok("store", f"{type(queue).__name__} can be reached")
        if isinstance(queue, EngineQueue):
            waiting = board.list(states=ON_QUEUE, limit=LOOKS_AT)
            yield from engine_workers(queue, waiting)
            own = [job for job in waiting if job.name in app.jobs]
            yield from messages(queue, board, own)
    if has_code:
        yield from without_code(app, board)
    yield from gaps(board, grace)


def missing(queue: EmbeddedQueue) -> Finding:
    """The finding on a job database that does not exist."""
    path = queue.database.path
    if not path.parent.is_dir():
        return problem("store", f"There is no folder {path.parent}: create it, or mend the url")
    return warning(
        "store",
        f"There is no job database {path} yet: the first job makes it. If there are jobs already, "
        f"mend the url; a relative one counts from the current folder",
    )


def workers(queue: EmbeddedQueue, target: str) -> Iterator[Finding]:
    """The workers that are alive, and the waiting jobs that none of them knows."""
    alive = live_workers(queue.database.path)
    if not alive:
        yield without_workers(queue, target)
        return
    yield ok("workers", f"{phrases.plural(len(alive), 'worker')} alive: {', '.join(alive)}")
    if None in alive.values():  # a worker that does not tell which jobs it knows
        return
    known = {name for jobs in alive.values() for name in jobs or ()}
    for name in queue.table.names():
        if name not in known:
            yield problem(
                "workers",
                f"Jobs named {name!r} wait, and no worker that is alive has their code: start "
                f"one of the release or the app that has it",
            )


def engine_workers(queue: EngineQueue, waiting: Sequence[JobInfo]) -> Iterator[Finding]:
    """The engine's workers that are alive, and the waiting jobs on queues that none serves."""
    alive = queue.living_workers()
    if alive is None:
        return
    if not alive:
        need = f"{phrases.plural(len(waiting), 'job')} wait{'s' if len(waiting) == 1 else ''}"
        finding = problem if waiting else warning
        yield finding("workers", f"No worker is alive, and {need}: start one of the engine's")
        return
    yield ok("workers", f"{phrases.plural(len(alive), 'worker')} alive: {', '.join(alive)}")
    if not all(alive.values()):  # a worker that does not tell which queues it serves
        return
    served = {DEFAULT_QUEUE}.union(*alive.values())
    for name in sorted({job.queue for job in waiting} - served):
        yield problem(
            "workers",
            f"Jobs wait on queue {name!r}, and no worker that is alive serves it: start one",
        )


def messages(queue: EngineQueue, board: Board, waiting: Sequence[JobInfo]) -> Iterator[Finding]:
    """The jobs whose messages the engine does not have any more."""
    failed = board.list(states={State.FAILED}, limit=LOOKS_AT)
    lost = [job.id for job in failed if job.reason == LOST]
    missing = queue.missing(waiting)
    if missing:  # or a worker has run them meanwhile
        still = {job.id for job in board.list(states=ON_QUEUE, limit=LOOKS_AT)}
        lost += [job_id for job_id in missing if job_id in still]
    if not lost:
        yield ok("messages", "No job was seen whose message is gone")
        return
    which = f"{lost[0]!r}" if len(lost) == 1 else f"{lost[0]!r} and {len(lost) - 1:,} more"
    yield problem(
        "messages",
        f"The message of {which} is gone from the queue, purged or deleted there: "
        f"`continuable retry` sends another, `continuable discard` forgets the job",
    )


def without_workers(queue: EmbeddedQueue, target: str) -> Finding:
    """The finding that no worker is alive: a problem where jobs need one."""
    counts = queue.board.counts()
    count = sum(number for state, number in counts.items() if state in NEED_A_WORKER)
    named = "MODULE:APP" if target.startswith(SCHEME) else target
    start = f"`continuable worker {named}` starts one"
    if not count:
        return warning("workers", f"No worker is alive, and no job needs one now: {start}")
    need = "job needs" if count == 1 else "jobs need"
    return problem("workers", f"No worker is alive, and {count:,} {need} one: {start}")


def without_code(app: App, board: Board) -> Iterator[Finding]:
    """The unfinished jobs whose names the app does not know."""
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
    """The names of all unfinished jobs; on an engine, of the newest."""
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
    """The jobs that went without a checkpoint for longer than `grace` seconds."""
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
