"""What is there to look at on the embedded queue only: its file, and its workers' locks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from continuable.cli.health.finding import Finding, ok, problem, warning
from continuable.cli.showing import phrases
from continuable.model.states import RUNNING, State
from continuable.queues.embedded import EmbeddedQueue
from continuable.queues.embedded.liveness import live_workers
from continuable.sqlite.location import SCHEME

NEED_A_WORKER = RUNNING | {State.WAITING, State.INTERRUPTED}
"""Where a job does not go on by itself."""


def missing(queue: EmbeddedQueue) -> Finding:
    """There is no file: none yet, or not here."""
    path = queue.database.path
    if not path.parent.is_dir():
        return problem("store", f"There is no folder {path.parent}: create it, or mend the url")
    return warning(
        "store",
        f"There is no job database {path} yet: the first job makes it. If there are jobs already, "
        f"mend the url; a relative one counts from the current folder",
    )


def store(queue: EmbeddedQueue) -> Finding:
    """The file can be read and written; raises `StoreError` if not."""
    queue.database.try_writing()
    return ok("store", f"{queue.database.path} can be read and written")


def workers(queue: EmbeddedQueue, target: str) -> Iterator[Finding]:
    """Which workers are alive, and whether one of them knows each job that waits."""
    alive = live_workers(queue.database.path)
    if not alive:
        yield without_workers(queue, target)
        return
    yield ok("workers", f"{phrases.plural(len(alive), 'worker')} alive: {', '.join(alive)}")
    if None in alive.values():  # which does not say
        return
    known = {name for jobs in alive.values() for name in jobs or ()}
    for name in queue.table.names():
        if name not in known:
            yield problem(
                "workers",
                f"Jobs named {name!r} wait, and no worker that is alive has their code: start "
                f"one of the release or the app that has it",
            )


def without_workers(queue: EmbeddedQueue, target: str) -> Finding:
    """No worker is alive: whether one is needed."""
    count = waiting(queue.board.counts())
    named = "MODULE:APP" if target.startswith(SCHEME) else target
    start = f"`continuable worker {named}` starts one"
    if not count:
        return warning("workers", f"No worker is alive, and no job needs one now: {start}")
    need = "job needs" if count == 1 else "jobs need"
    return problem("workers", f"No worker is alive, and {count:,} {need} one: {start}")


def waiting(counts: Mapping[State, int]) -> int:
    """How many jobs do not go on without a worker."""
    return sum(count for state, count in counts.items() if state in NEED_A_WORKER)
