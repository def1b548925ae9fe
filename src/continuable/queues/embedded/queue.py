"""`EmbeddedQueue`: what an app enqueues to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from continuable.model.payload import Enqueued, Enqueueing
from continuable.queues.board import StoreBoard
from continuable.queues.capabilities import Capabilities
from continuable.queues.embedded.database import JobDatabase
from continuable.queues.embedded.notifier import notify
from continuable.queues.embedded.table import JobTable
from continuable.sqlite.database import Durability
from continuable.sqlite.location import path_of

if TYPE_CHECKING:
    from continuable.core.definition import Definition, Registry


class EmbeddedQueue(Capabilities):
    """Jobs in one SQLite file, for any number of worker processes on one machine.

    Args:
        url: `sqlite:///jobs.db`, or a path. The file is made when it is first needed.
        durability: `"normal"`: what is enqueued survives a power cut; claims, saves and results
            survive the death of any process, and a power cut redoes work. `"full"`: everything
            survives a power cut, at the price of a disk flush per write.
    """

    worker_kinds = ("worker", "worker -p")
    isolating_kinds = frozenset({"worker -p"})
    is_on_server = False
    commits_by_default = True
    supports_unique = True
    joins_transactions = True
    retries_failures = False

    def __init__(self, url: str | Path, *, durability: Durability = "normal") -> None:
        path = url if isinstance(url, Path) else path_of(url)
        self.database = JobDatabase(path, durability=durability)
        self.table = JobTable(self.database)
        self.registry: Registry

    def bind(self, registry: Registry) -> None:
        """The jobs of an app are those that run here. Nothing is opened before it is needed."""
        self.registry = registry
        self.table.know(registry.jobs)

    def declare(self, job: Definition) -> None:
        """A row names its job; there is nothing else to do."""

    def enqueue(self, items: Sequence[Enqueueing], connection: Any = None) -> list[Enqueued]:
        """Put all of `items` on the queue, or none; in the transaction of `connection` if given.

        Raises `DuplicateJobError`, `StoreError`, and `ValueError` for a connection without an
        open transaction or to another file.
        """
        enqueued = self.table.enqueue(items, connection)
        if connection is None:
            notify(self.database.path)
        return enqueued

    @property
    def board(self) -> StoreBoard:
        """What is known of the jobs, and how to steer them."""
        return StoreBoard(
            self.table,
            events=lambda _name: self.registry.events,
            send=lambda _record: notify(self.database.path),
            queue=self,
        )

    def close(self) -> None:
        """Close the file, which opens again when it is needed."""
        self.database.close()

    def __repr__(self) -> str:
        return f"EmbeddedQueue({str(self.database.path)!r})"
