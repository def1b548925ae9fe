"""The embedded queue, for verbs that no other engine has; and where the jobs of an app are."""

from __future__ import annotations

from continuable.app import App
from continuable.cli.failures import WRONG_USAGE, Failure
from continuable.queues.embedded import EmbeddedQueue


def embedded_queue(app: App, purpose: str) -> EmbeddedQueue:
    """The queue of `app`; `Failure` where it is another engine's, which cannot do `purpose`."""
    queue = app.queue
    if not isinstance(queue, EmbeddedQueue):
        raise Failure(
            f"The app is on {type(queue).__name__}, and {purpose} is for the embedded queue: "
            f"use that engine's own command",
            WRONG_USAGE,
        )
    return queue


def whereabouts(app: App) -> str:
    """Where the jobs of `app` are, so that who is in the wrong folder sees it."""
    queue = app.queue
    return str(queue.database.path if isinstance(queue, EmbeddedQueue) else type(queue).__name__)
