"""The sentry: a job of RQ's that finds the jobs of workers that were killed.

Whoever runs jobs does that by the way. But an idle worker of RQ's runs no code of ours, so there
might be nobody left to notice. Hence, for as long as jobs run, a sentry waits on a queue: a worker
with nothing else to do stands it, and makes room as soon as another job waits.
"""

from __future__ import annotations

from typing import Any

from rq import Queue
from rq.job import Job, JobStatus

ID = "continuable-sentry"
KEY = f"{ID}:posted"
DESCRIPTION = "continuable: stands by for the jobs of workers that die"
TURN = 30.0
"""Seconds for which a worker stands it."""
ASK_EVERY = 1.0
"""Seconds between two questions whether there are jobs to stand by for."""


class Sentry:
    """The one of a Redis."""

    def __init__(self, connection: Any, lease: float) -> None:
        self._connection = connection
        self.lasts = int(3000 * max(lease, 1.0))
        """Milliseconds: without a sign of it, somebody posts another."""

    def post(self, queue: Queue, task: Any) -> None:
        """Have it wait on `queue`, where nobody has posted it yet."""
        if self._connection.set(KEY, "", nx=True, px=self.lasts):
            self.put(queue, task)

    def put(self, queue: Queue, task: Any) -> None:
        """Have it wait on `queue`; whoever calls this has set its key."""
        job = queue.create_job(task, job_id=ID, timeout=-1, result_ttl=0, description=DESCRIPTION)
        with self._connection.pipeline() as pipeline:
            job.save(pipeline=pipeline)
            queue.remove(ID, pipeline=pipeline)
            pipeline.sadd(queue.redis_queues_keys, queue.key)
            queue.push_job_id(ID, pipeline=pipeline)
            pipeline.execute()

    def post_again(self, queue: Queue, job: Job) -> None:
        """Whoever stood it makes room."""
        with self._connection.pipeline() as pipeline:
            pipeline.set(KEY, "", px=self.lasts)
            pipeline.hset(job.key, "origin", queue.name)
            job.set_status(JobStatus.QUEUED, pipeline=pipeline)
            queue.push_job_id(ID, pipeline=pipeline)
            pipeline.execute()

    def relieve(self, queue: Queue) -> None:
        """The last job that ran has ended: unless somebody stands it by now, it goes.

        Whoever runs jobs after all posts it again.
        """
        if self._connection.lrem(queue.key, -1, ID):
            self.dismiss()

    def dismiss(self) -> None:
        """There is nothing left to stand by for."""
        self._connection.delete(KEY, Job.key_for(ID))
