"""The order of the examination: code, store, workers, jobs. What is out of reach ends it."""

from __future__ import annotations

from collections.abc import Iterator

from continuable.app import App
from continuable.cli.health import code, embedded, jobs
from continuable.cli.health.finding import Finding, ok, problem, warning
from continuable.errors import QueueError
from continuable.queues.embedded import EmbeddedQueue
from continuable.sqlite.location import SCHEME


def examine(app: App, target: str, grace: float) -> Iterator[Finding]:
    """What there is to say of `app`, which people call `target`.

    Nothing is made, changed or run. `grace`: seconds that a shutdown grants a job.
    """
    has_code = not target.startswith(SCHEME)
    if has_code:
        yield from code.registered(app, target)
        yield from code.defaults(app)
    else:
        yield warning("app", f"{target} has no code: name MODULE:APP to have that looked at, too")
    try:
        yield from stored(app, target, grace, has_code=has_code)
    except QueueError as error:
        yield problem("store", str(error))
    except OSError as error:
        away = f"{type(app.queue).__name__} cannot be reached ({error})"
        yield problem("store", f"{away}: see that its server runs, and where the app looks for it")


def stored(app: App, target: str, grace: float, *, has_code: bool) -> Iterator[Finding]:
    """What there is to say of the store and what is in it; raises if it is out of reach."""
    queue, board = app.queue, app.queue.board
    if isinstance(queue, EmbeddedQueue):
        if not queue.database.path.exists():
            yield embedded.missing(queue)
            return
        yield embedded.store(queue)
        yield from embedded.workers(queue, target)
    else:
        board.counts()
        yield ok("store", f"{type(queue).__name__} can be reached")
    if has_code:
        yield from jobs.without_code(app, board)
    yield from jobs.gaps(board, grace)
