"""The sentry: a job of RQ's that finds the jobs of workers that were killed.

A worker that runs jobs finds them, too. But an idle worker of RQ's runs no code of ours. So a
sentry waits on a queue for as long as jobs run or wait for RQ's scheduler: a worker with nothing
else to do stands it, and makes room as soon as another job waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from redis.client import Pipeline
from redis.exceptions import RedisError
from rq import Queue, Retry
from rq.job import Job, JobStatus
from rq.utils import as_text

from continuable.errors import StoreError
from continuable.model.info import JobInfo
from continuable.model.states import ON_QUEUE, State
from continuable.progress.protocol import ProgressStore
from continuable.queues.rq.message import SPARE_RETRIES
from continuable.queues.rq.scheduling import WAITING
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
        is_needed = False
        try:
            yield
        except (RedisError, StoreError):
            is_needed = True  # to bring back the job, whose message may be lost
            raise
        finally:
            self._running = None
            if not is_needed:
                with suppress(RedisError, StoreError):
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
            pipeline.sadd(queue.redis_queues_keys, queue.key)
            _push(queue, job, pipeline)
            pipeline.execute()

    def post_again(self) -> None:
        """Another process may have relieved it, or died with it."""
        running = self._running  # another thread's, and may be over by now
        if running is not None and time.monotonic() - running[0] > self._store.lease / 3:
            self.post(*running[1:])

    def stand(
        self,
        job: Job,
        queue: Queue,
        worker: RunningWorker,
        recover: Callable[[], object],
        look: Callable[[], object],
    ) -> bool:
        """Stand by until no job is left to stand by for. False: another worker is to do it.

        `recover` is called at the beginning and at the end, `look` each second.
        """
        turn = None
        while True:
            try:
                if turn is None:
                    turn = self._begin(job, worker)
                    recover()
                if self._is_taken_over(worker):
                    return False
                turn.expose()
                look()
                if not self._is_needed(turn):
                    recover()
                    self._connection.delete(KEY)
                    return True
                if worker.is_wanted(within=ASK_EVERY) or turn.is_over:
                    # Behind all that the worker has to do: it takes its queues in their order.
                    self._make_room(queue, job)
                    return False
            except (RedisError, StoreError):
                # Full, read-only or away: just now there may be jobs that lose their messages.
                if worker.is_stopping():
                    raise
                time.sleep(ASK_EVERY)

    def _begin(self, job: Job, worker: RunningWorker) -> Turn:
        turn = Turn(job, self._store)
        turn.expose()
        self._connection.set(KEY, worker.name, px=self._lasts)
        return turn

    def _is_taken_over(self, worker: RunningWorker) -> bool:
        """Whether it was posted, or is stood, once more: the newest stays."""
        self._connection.pexpire(KEY, self._lasts)
        found = self._connection.get(KEY)
        return found is not None and as_text(found) != worker.name

    def _is_needed(self, turn: Turn) -> bool:
        """Whether jobs run, or may have lost their messages, or wait for RQ's scheduler."""
        states = self._store.counts()
        if any(state.is_running for state in states):
            return True
        if turn.may_have_lost and not ON_QUEUE.isdisjoint(states):
            return True
        return bool(self._connection.zcard(WAITING))

    def _make_room(self, queue: Queue, job: Job) -> None:
        """The worker that ran it has other jobs to run."""
        job.origin = queue.name
        with self._connection.pipeline() as pipeline:
            pipeline.set(KEY, "", px=self._lasts)
            _push(queue, job, pipeline)
            job.set_status(JobStatus.QUEUED, pipeline=pipeline)
            pipeline.execute()

    def _relieve(self, queue: Queue) -> None:
        """The last job that ran has ended: unless a worker stands it by now, it goes.

        The next job to run posts it again. It stays for those that wait for RQ's scheduler.
        """
        if self._store.holders() or self._connection.zcard(WAITING):
            return
        if self._connection.lrem(queue.key, -1, ID):
            self._connection.delete(KEY, Job.key_for(ID))


class Turn:
    """One time that a worker stands it."""

    def __init__(self, job: Job, store: ProgressStore) -> None:
        begins_at = time.monotonic()
        self._ends_at = begins_at + max(TURN, 2 * store.lease)
        waits = [_seconds_until(found) for found in store.list(states={State.INTERRUPTED})]
        self._lost_until = begins_at + store.lease + max([0.0, *waits])
        self._job = job
        self._entries = {f"{ID}:{execution}": 1 for execution in _executions(job)}

    @property
    def is_over(self) -> bool:
        """Whether it has lasted long enough: the worker may have been told not to run for ever."""
        return time.monotonic() > self._ends_at

    @property
    def may_have_lost(self) -> bool:
        """Whether a message that was lost before the turn began may not have shown yet."""
        return time.monotonic() < self._lost_until

    def expose(self) -> None:
        """Have RQ take it for abandoned, so that the next worker to start puts it on its queue.

        Else nobody would stand it any more if all the workers were killed that are here now.
        """
        registry: Any = self._job.started_job_registry
        if self._entries:
            registry.connection.zadd(registry.key, self._entries, xx=True)


def _push(queue: Queue, job: Job, pipeline: Pipeline) -> None:
    """Have it wait on `queue` once."""
    job.save(pipeline=pipeline)
    queue.remove(ID, pipeline=pipeline)
    queue.push_job_id(ID, pipeline=pipeline)


def _executions(job: Job) -> list[str]:
    executions: list[str] = job.execution_registry.get_execution_ids()
    return executions


def _seconds_until(found: JobInfo) -> float:
    return 0.0 if found.run_at is None else found.run_at.timestamp() - time.time()
