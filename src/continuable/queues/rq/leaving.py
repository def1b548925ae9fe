"""The end of a delivery that is not the end of its job.

A job that returns `rq.Retry` is put back by RQ. That is nearly what is wanted: but RQ would count
it among its worker's failed jobs and among its retries, and knows no other queue and no fraction
of a second. So it is put where it belongs by ourselves, and RQ has the rest to do.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from redis.client import Pipeline
from rq import Queue, Retry
from rq.defaults import DEFAULT_RESULT_TTL
from rq.job import Job, JobStatus
from rq.worker import BaseWorker

from continuable.queues.rq.message import SPARE_RETRIES

Write = Callable[[Pipeline], object]


def leave(job: Job, write: Write | None = None) -> Retry:
    """What a job returns to have its delivery ended, and nothing else done but what `write` adds.

    `write` goes into the transaction in which RQ forgets the execution.
    """

    def ended(*, pipeline: Pipeline, worker_name: str = "", **_others: Any) -> None:
        if worker_name:
            worker = BaseWorker.redis_worker_namespace_prefix + worker_name
            pipeline.hincrby(worker, "failed_job_count", -1)
        if write is not None:
            write(pipeline)

    # In the place of the method that would put it back. An RQ that has none of that name does
    # put it back, and the message that is one too many is dropped when it comes.
    setattr(job, "_handle_retry_result", ended)  # noqa: B010 - to the type checker it is a method
    return Retry(max=sys.maxsize)


def spare_retries(job: Job) -> None:
    """Where RQ retries the job by itself, have it keep the retries that are for deaths."""

    def retry(queue: Queue, pipeline: Pipeline) -> None:
        type(job).retry(job, queue, pipeline)
        left = (job.retries_left or 0) + SPARE_RETRIES
        pipeline.hset(job.key, "retries_left", str(left))

    setattr(job, "retry", retry)  # noqa: B010 - as above


def finished(job: Job, pipeline: Pipeline) -> None:
    """The job had ended before this delivery: so it stands as it did."""
    lasts = job.get_result_ttl(DEFAULT_RESULT_TTL)
    job.set_status(JobStatus.FINISHED, pipeline=pipeline)
    job.finished_job_registry.add(job, lasts, pipeline)
    job.cleanup(lasts, pipeline=pipeline, remove_from_queue=False)


def cancelled(job: Job, queue: Any, pipeline: Pipeline) -> None:
    """The job was given up: as `rq cancel` leaves one, and what depends on it stays where it is."""
    job.set_status(JobStatus.CANCELED, pipeline=pipeline)
    queue.canceled_job_registry.add(job, pipeline=pipeline)


def paused(job: Job, queue: Any, pipeline: Pipeline) -> None:
    """The job waits for somebody to resume it."""
    job.set_status(JobStatus.DEFERRED, pipeline=pipeline)
    queue.deferred_job_registry.add(job, pipeline=pipeline, ttl=-1)
