"""The sentry: a job of RQ's that finds the jobs of workers that were killed.

Whoever runs jobs does that by the way. But an idle worker of RQ's runs no code of ours, so there
might be nobody left to notice. Hence, for as long as jobs run, a sentry waits on a queue: a worker
with nothing else to do stands it, and makes room as soon as another job waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rq import Queue, Retry
from rq.job import Job, JobStatus

from continuable.model.states import ON_QUEUE
from continuable.progress.protocol import ProgressStore
from continuable.queues.rq.message import SPARE_RETRIES
from continuable.queues.rq.unknown import ON_FAILURE

if TYPE_CHECKING:
    from continuable.queues.rq.worker import RunningWorker

ID = "continuable-sentry"
KEY = f"{ID}:posted"
DESCRIPTION = "continuable: stands by for the jobs of workers that die"
TURN = 30.0
"""Seconds for which a worker stands it."""
ASK_EVERY = 1.0
"""Seconds between two questions whether there are jobs to stand by for."""


class Sentry:
    """The one of a Redis."""

    def __init__(self, connection: Any, store: ProgressStore) -> None:
        self._connection = connection
        self._store = store
        self._running: tuple[float, Queue, Any] | None = None
        self._lasts = int(3000 * max(store.lease, 1.0))
        """Milliseconds: without a sign of it, it is posted again."""

    @contextmanager
    def posted(self, queue: Queue, task: Any) -> Iterator[None]:
        """See that it waits on `queue`, or is stood, while a job runs here."""
        self.post(queue, task)
        self._running = time.monotonic(), queue, task
        try:
            yield
        finally:
            self._running = None
            if not self._store.holders():
                self._relieve(queue)

    def post(self, queue: Queue, task: Any) -> None:
        """Have it wait on `queue`, unless it was posted already."""
        if not self._connection.set(KEY, "", nx=True, px=self._lasts):
            return
        job = queue.create_job(
            task,
            job_id=ID,
            timeout=-1,
            result_ttl=0,
            description=DESCRIPTION,
            retry=Retry(SPARE_RETRIES),
            on_failure=ON_FAILURE,
        )
        with self._connection.pipeline() as pipeline:
            job.save(pipeline=pipeline)
            queue.remove(ID, pipeline=pipeline)
            pipeline.sadd(queue.redis_queues_keys, queue.key)
            queue.push_job_id(ID, pipeline=pipeline)
            pipeline.execute()

    def post_again(self) -> None:
        """Another process may have relieved it, or died with it."""
        running = self._running  # another thread's, and may be over by now
        if running is not None and time.monotonic() - running[0] > self._store.lease / 3:
            self.post(*running[1:])

    def stand(
        self, job: Job, queue: Queue, worker: RunningWorker, recover: Callable[[], object]
    ) -> bool:
        """Stand by until no job is left to stand by for. False: `worker` has other jobs to run."""
        begins_at, lease = time.monotonic(), self._store.lease
        while self._have_jobs_begun(or_wait=time.monotonic() < begins_at + lease):
            is_over = time.monotonic() > begins_at + max(TURN, 2 * lease)
            if worker.is_wanted(within=ASK_EVERY) or is_over:
                # Behind all that the worker has to do: it takes its queues in their order.
                self._make_room(queue, job)
                return False
        recover()
        self._connection.delete(KEY)
        return True

    def _have_jobs_begun(self, *, or_wait: bool) -> bool:
        """`or_wait`: or one waits, and so may have lost its message, which shows after a lease."""
        return any(s.is_running or (or_wait and s in ON_QUEUE) for s in self._store.counts())

    def _make_room(self, queue: Queue, job: Job) -> None:
        """The worker that ran it has other jobs to run."""
        with self._connection.pipeline() as pipeline:
            pipeline.set(KEY, "", px=self._lasts)
            pipeline.hset(job.key, "origin", queue.name)
            job.set_status(JobStatus.QUEUED, pipeline=pipeline)
            queue.push_job_id(ID, pipeline=pipeline)
            pipeline.execute()

    def _relieve(self, queue: Queue) -> None:
        """The last job that ran has ended: unless a worker stands it by now, it goes.

        The next job to run posts it again.
        """
        if self._connection.lrem(queue.key, -1, ID):
            self._connection.delete(KEY, Job.key_for(ID))
