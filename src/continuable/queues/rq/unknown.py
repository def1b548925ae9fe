"""Jobs that a worker cannot load: in a rolling deploy, those that only the next release has.

RQ takes such a job for failed, and runs it again at once since it has retries to spare: a fork
every few milliseconds. So RQ calls this when a job of ours has failed (`on_failure`).
"""

from __future__ import annotations

import time
from types import TracebackType

from redis import Redis
from redis.client import Pipeline
from rq import Callback, Queue
from rq.exceptions import AbandonedJobError
from rq.job import Job

from continuable.queues.rq.scheduling import has_scheduler

PAUSE = 5
"""Whole seconds between two tries, where RQ's scheduler waits for the next."""
SHORT_PAUSE = 1.0
"""Seconds between two tries, where the worker itself has to wait."""


def wait_for_its_code(
    job: Job,
    connection: Redis,
    kind: type[BaseException],
    _error: BaseException,
    _traceback: TracebackType | None,
) -> None:
    """If this worker cannot load the job, have it wait for one that can."""
    if issubclass(kind, AbandonedJobError) or _is_known(job):
        return
    retries_left = job.retries_left
    is_scheduled = has_scheduler(connection, job.origin)
    if not is_scheduled:
        time.sleep(SHORT_PAUSE)

    def retry(queue: Queue, pipeline: Pipeline) -> None:
        job.retry_intervals = [PAUSE] if is_scheduled else None
        type(job).retry(job, queue, pipeline)
        pipeline.hset(job.key, "retries_left", str(retries_left))
        pipeline.hdel(job.key, "retry_intervals")

    setattr(job, "retry", retry)  # noqa: B010 - to the type checker it is a method


ON_FAILURE = Callback(f"{__name__}.{wait_for_its_code.__name__}")


def _is_known(job: Job) -> bool:
    try:
        return job.func is not None
    except Exception:  # noqa: BLE001 - of whatever the import of the user's module comes to
        return False
