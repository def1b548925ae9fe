"""The embedded queue: one SQLite file, workers on one machine, no server."""

from continuable.queues.embedded.queue import EmbeddedQueue

__all__ = ["EmbeddedQueue"]
