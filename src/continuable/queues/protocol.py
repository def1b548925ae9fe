"""What an app asks of its queue. As little as possible: a queue is an adapter, not a framework."""

from __future__ import annotations

import builtins
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from continuable.model.info import HistoryEntry, JobInfo, JobResult
from continuable.model.payload import Enqueued, Enqueueing
from continuable.model.states import State

if TYPE_CHECKING:
    from continuable.core.definition import Definition, Registry


class Queue(Protocol):
    """Where the jobs of an app wait, and from where its workers take them."""

    def bind(self, registry: Registry) -> None:
        """The jobs of an app run here from now on; called once, before anything else."""
        ...

    def declare(self, job: Definition) -> None:
        """`job` was added to the app; called for every job that is declared after `bind`."""
        ...

    def enqueue(self, items: Sequence[Enqueueing], connection: Any = None) -> list[Enqueued]:
        """Put all of `items` on the queue, or none.

        `connection`: a connection of the caller's whose open transaction is to hold them, where
        the queue can do that. Raises `DuplicateJobError`, `StoreError`.
        """
        ...

    @property
    def board(self) -> Board:
        """What is known of the jobs, and how to steer them."""
        ...


class Board(Protocol):
    """What people see of jobs, and what they may ask of them."""

    def find(self, job_id: str) -> JobInfo:
        """One job; `JobNotFoundError` where there is none."""
        ...

    def list(
        self,
        *,
        states: Collection[State] | None = None,
        queue: str | None = None,
        name: str | None = None,
        limit: int = 100,
    ) -> builtins.list[JobInfo]:
        """Jobs, the newest first."""
        ...

    def counts(self) -> dict[State, int]:
        """How many jobs are in each state."""
        ...

    def history(self, job_id: str) -> builtins.list[HistoryEntry]:
        """What was worth telling of a job, oldest first."""
        ...

    def result(self, job_id: str) -> JobResult:
        """How a job stands; `JobNotFoundError` where there is none."""
        ...

    def request(self, job_id: str, verb: str) -> JobInfo:
        """Pause, resume, cancel, retry or restart a job; `JobStateError` where that cannot be."""
        ...

    def discard(self, job_id: str) -> JobInfo:
        """Forget one job with its progress, result and history; how it stood.

        `JobStateError` while it runs, and on another engine's queue until it has ended.
        """
        ...

    def prune(self, older_than: float, *, failed: bool = False) -> int:
        """Forget jobs that finished `older_than` seconds ago or earlier; how many those were.

        Those that have failed stay, for somebody to retry, unless `failed` says otherwise.
        """
        ...
