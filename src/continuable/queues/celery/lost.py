"""Jobs that wait and have no message on Redis: it was purged there, or a crash has taken it.

Celery takes a message from Redis in one step, and notes that it has it in another: a worker that
dies between them takes the message with it, and so does a Redis that is started again without what
it had. Such a job is sent again. Where neither has happened, somebody has purged the queue.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from celery.backends.base import DisabledBackend
from celery.exceptions import NotRegistered

from continuable.queues.celery.broker import RedisBroker, on_broker

if TYPE_CHECKING:
    from celery import Celery

    from continuable.model.info import JobInfo
    from continuable.progress.protocol import ProgressStore

LOOKS = 3
"""Looks, a lease apart, at which a message is missing. A worker that was alive at the first one
has shown by the last that it has not died then."""

PRECISION = 1.0
"""Seconds by which a Redis, which counts whole ones, may say that it was started too early."""


class LostMessages:
    """Looks for jobs without a message.

    Args:
        celery_app: Whose broker has the messages.
        store: Where the jobs are. Its lease is the time between two looks.
        worker: The worker that this process is, or is part of.
    """

    def __init__(self, celery_app: Celery, store: ProgressStore, worker: str) -> None:
        self._celery_app = celery_app
        self._store = store
        self._worker = worker
        self._missed_at: dict[tuple[str, int], list[float]] = {}

    def purged(self, jobs: Sequence[JobInfo]) -> list[str]:
        """Of which of `jobs` the message was purged. What a crash may have taken is sent again."""
        seen = on_broker(self._celery_app, partial(self._look, jobs))
        if seen is None:
            return []
        now = time.time()
        missing = {(job.id, job.executions): job for job in jobs if job.id in seen.missing}
        self._missed_at = {key: [*self._missed_at.get(key, ()), now] for key in missing}
        purged = []
        for key, job in missing.items():
            looks = self._missed_at[key]
            if len(looks) < LOOKS:
                continue
            if self._was_taken(job, looks[0], seen) or self._was_unknown(job):
                self._store.unconfirm(job.id, job.executions, wait=0.0)
            else:
                purged.append(job.id)
        return purged

    def _look(self, jobs: Sequence[JobInfo], broker: RedisBroker) -> _Seen:
        broker.note_alive(self._worker)
        missing = _missing(self._celery_app, jobs, broker)
        if not missing:
            return _Seen()
        return _Seen(missing, broker.alive_last(), broker.started_at())

    def _was_taken(self, job: JobInfo, missed_at: float, seen: _Seen) -> bool:
        """Whether a worker or the server may have died since the message was sent."""
        sent_at = (job.saved_at or job.enqueued_at).timestamp()
        died = [at for at in seen.alive_last if at <= missed_at]
        has_restarted = seen.started_at > sent_at - PRECISION
        return has_restarted or any(at > sent_at - 2 * self._store.lease for at in died)

    def _was_unknown(self, job: JobInfo) -> bool:
        """Whether a worker without this library has thrown the message away, as results tell."""
        if isinstance(self._celery_app.backend, DisabledBackend):
            return False
        return isinstance(self._celery_app.AsyncResult(job.id).result, NotRegistered)


def missing_messages(celery_app: Celery, jobs: Sequence[JobInfo]) -> Collection[str]:
    """Which of `jobs` have no message, neither on their queues nor with a worker.

    None of them, where the broker is no Redis, is away, or has too many messages to read.
    """
    return on_broker(celery_app, partial(_missing, celery_app, jobs)) or ()


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one look has found."""

    missing: Collection[str] = ()
    alive_last: Sequence[float] = ()
    """When each worker was alive last that has not ended in order."""
    started_at: float = 0.0
    """When the server was started."""


def _missing(celery_app: Celery, jobs: Sequence[JobInfo], broker: RedisBroker) -> set[str]:
    if not jobs:
        return set()
    queues = set().union(*(_queues(celery_app, job) for job in jobs))
    # First the queues: a worker that takes a message holds it from then on.
    found = [*map(broker.messages_on, sorted(queues)), broker.messages_held()]
    if None in found:
        return set()
    return {job.id for job in jobs}.difference(*(ids for ids in found if ids))


def _queues(celery_app: Celery, job: JobInfo) -> set[str]:
    """The queues on which its message may be."""
    routed = celery_app.amqp.router.route({}, job.name).get("queue")
    return {job.queue, *([routed.name] if routed is not None else [])}
