"""`EngineQueue`: what the adapters of other engines have in common."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from continuable.connections.connection import after_commit, is_in_django_transaction
from continuable.core.definition import OWN_STORE
from continuable.errors import JobNotFoundError, QueueError, StoreError
from continuable.model.payload import Enqueued, Enqueueing, JobRecord
from continuable.model.states import State
from continuable.progress.message import MessageProgress
from continuable.progress.protocol import ProgressStore
from continuable.queues.board import StoreBoard
from continuable.queues.capabilities import Capabilities

if TYPE_CHECKING:
    from continuable.core.definition import Definition, Registry
    from continuable.model.info import JobInfo
    from continuable.queues.consumer import Consumer


logger = logging.getLogger("continuable")

GAPS_AMONG = 200
"""Jobs, the newest, whose checkpoints tell a worker at its start whether its grace is enough."""


class EngineQueue(Capabilities, ABC):
    """Puts the jobs of an app on the queue of another engine, and runs what that delivers.

    An adapter says how to declare a job as a task of its engine, how to send a message, and what
    the engine's own words are for what becomes of a delivery (`continuable.queues.consumer`).
    """

    def __init__(self) -> None:
        self._registry: Registry
        self._starting = threading.Lock()
        self._consumer: tuple[int, Consumer] | None = None
        self._has_warned = False

    # --- what an adapter does

    @abstractmethod
    def declare(self, job: Definition) -> None:
        """Make `job` a task of the engine."""

    @abstractmethod
    def task(self, job: Definition) -> Any:
        """The engine's own object for `job`."""

    @abstractmethod
    def send(self, record: JobRecord, wait: float) -> None:
        """Put a message on the queue, to be delivered in `wait` seconds."""

    def send_new(self, messages: Sequence[tuple[JobRecord, float]]) -> Iterator[int]:
        """Put the first messages of jobs on the queue, each with its seconds of delay.

        Gives the number of those that are there, after each part that the engine takes at once.
        """
        for number, (record, wait) in enumerate(messages, 1):
            self.send(record, wait)
            yield number

    def missing(self, jobs: Sequence[JobInfo]) -> Collection[str]:  # noqa: ARG002 - see there
        """Of which of these jobs the engine has no message: it was purged there, or deleted.

        None of them, where the engine cannot tell.
        """
        return ()

    def living_workers(self) -> Mapping[str, Collection[str]] | None:
        """The engine's workers that are alive, and the names of the queues of each.

        A worker whose queues are not known has none. `None`: the engine does not say.
        """
        return None

    @abstractmethod
    def own_store(self) -> ProgressStore:
        """The store that is used unless the app names one: where the engine keeps its own data."""

    @abstractmethod
    def start_consumer(self, store: ProgressStore) -> Consumer:
        """What a worker process runs its jobs with; the caller starts it."""

    # --- what apps ask of a queue

    def bind(self, registry: Registry) -> None:
        """The jobs of an app run here from now on."""
        self._registry = registry
        for job in registry.jobs.values():
            self.declare(job)

    def enqueue(self, items: Sequence[Enqueueing], connection: Any = None) -> list[Enqueued]:
        """Put `items` on the queue, one after the other.

        With `connection`, or in an atomic block on the database of `DjangoProgress`, they are
        there when that transaction has committed.

        Raises `DuplicateJobError` for an id that is taken, `QueueError` for what this engine or
        its store cannot do, and what the engine itself raises where it is away: then those jobs
        that were not sent were never enqueued, and their ids are free.
        """
        for item in items:
            self._refuse_impossible(item)
        if connection is None:
            connection = self.store.open_transaction()
        if connection is not None:
            return self._enqueue_within(connection, items)
        self._warn_of_atomic_block()
        self.store.add([item.record for item in items])
        sent = 0
        try:
            for number in self.send_new([(item.record, _wait(item)) for item in items]):
                sent = number
        except BaseException as error:
            if sent:
                error.add_note(f"The first {sent} of these {len(items)} jobs are on the queue")
            self._withdraw(items[sent:])
            raise
        return [Enqueued(item.record.id, is_new=True) for item in items]

    def _enqueue_within(self, connection: Any, items: Sequence[Enqueueing]) -> list[Enqueued]:
        """In a transaction of the user's: what a crash keeps from being sent, workers send."""
        self.store.add_within(connection, [(item.record, _wait(item)) for item in items])
        after_commit(connection, lambda: self._send_committed(items))
        return [Enqueued(item.record.id, is_new=True) for item in items]

    def _warn_of_atomic_block(self) -> None:
        if self._has_warned or not is_in_django_transaction():
            return
        self._has_warned = True
        warnings.warn(
            f"A job is enqueued in Django's transaction.atomic, and a worker may start it before "
            f"your rows are committed: {self.store!r} is not part of that transaction. Keep "
            f"progress in DjangoProgress(), or enqueue in transaction.on_commit",
            RuntimeWarning,
            stacklevel=6,
        )

    def _send_committed(self, items: Sequence[Enqueueing]) -> None:
        try:
            for item in items:
                self.store.find(item.record.id)
                self.send(item.record, _wait(item))
                self.store.confirm(item.record)
        except JobNotFoundError:
            pass  # it was a savepoint that was released, or the transaction before
        except Exception:
            logger.warning("A job that was enqueued is sent by a worker", exc_info=True)

    @property
    def board(self) -> StoreBoard:
        """What is known of the jobs, and how to steer them."""
        return EngineBoard(self)

    @cached_property
    def store(self) -> ProgressStore:
        """Where the progress of the jobs is kept; made when it is first asked for.

        By then the engine's own settings are known, however late its project sets them.
        """
        store: ProgressStore | None = self._registry.progress
        if store is None:
            return MessageProgress()
        return self.own_store() if store is OWN_STORE else store

    def consumer(self) -> Consumer:
        """What this process runs its jobs with; started at its first job."""
        with self._starting:
            if self._consumer is None or self._consumer[0] != os.getpid():
                consumer = self.start_consumer(self.store)
                consumer.start()
                self._consumer = (os.getpid(), consumer)
            return self._consumer[1]

    def gaps(self, grace: float, setting: str) -> list[str]:
        """A sentence for each job that a worker whose jobs have `grace` seconds would not wait for.

        As far as the newest jobs tell; `setting` is what grants that time.
        """
        if not self.store.is_durable:
            return []
        longest: dict[str, float] = {}
        for job in self.store.list(limit=GAPS_AMONG):
            longest[job.name] = max(job.longest_gap, longest.get(job.name, 0.0))
        return [
            f"Job {name!r} went {gap:.1f} s without a checkpoint, and a shutdown grants "
            f"{grace:g} s: call step.checkpoint() more often in it, or set {setting}"
            for name, gap in longest.items()
            if gap > grace
        ]

    def close(self) -> None:
        """Once this process runs no more jobs: what was begun is brought to an end."""
        with self._starting:
            if self._consumer is not None and self._consumer[0] == os.getpid():
                self._consumer[1].close()
            self._consumer = None

    def _withdraw(self, items: Sequence[Enqueueing]) -> None:
        """Those were not sent. One that was nevertheless is known again when it is delivered."""
        with contextlib.suppress(StoreError):
            for item in items:
                self.store.withdraw(item.record.id)

    def _refuse_impossible(self, item: Enqueueing) -> None:
        if item.unique is not None:
            raise QueueError(f"{self!r} has no unique=: use what the engine itself has for that")
        is_delayed = item.wait > 0 or item.run_at is not None
        if is_delayed and not self.supports_delay:
            raise QueueError(f"{self!r} cannot delay jobs: leave wait= and at= out")


class EngineBoard(StoreBoard):
    """That of a queue whose messages outlive what becomes of their jobs."""

    def __init__(self, queue: EngineQueue) -> None:
        send = partial(queue.send, wait=0.0)
        super().__init__(queue.store, lambda _name: queue._registry.events, send, queue)  # noqa: SLF001 - of the same module
        self._missing = queue.missing

    def discard(self, job_id: str) -> JobInfo:
        """Forget one job, as soon as no message is there that would bring it back."""
        info = self.find(job_id)
        if info.state is State.CANCELLED and job_id not in self._missing([info]):
            raise QueueError(
                f"Job {job_id!r} is cancelled, and its message may be on the queue still, where it "
                f"would be taken for a new job: discard it when a worker has dropped that, or "
                f"leave it to prune"
            )
        return super().discard(job_id)


def _wait(item: Enqueueing) -> float:
    until = 0.0 if item.run_at is None else item.run_at - time.time()
    return max(0.0, until, item.wait)
