"""RQ's scheduler, which puts jobs on their queue when their time has come.

One that is killed holds its lock for a minute, and RQ looks each ten minutes whether a new one can
have it. So interrupted jobs that wait are listed, and a worker of ours puts them on their queue
where the scheduler does not.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from rq.scheduler import SCHEDULER_KEY_TEMPLATE, RQScheduler
from rq.utils import as_text, now, utcparse

SILENCE = timedelta(seconds=10)
"""After which a scheduler of RQ's, which gives a sign of life each second, is taken for dead."""

WAITING = "continuable-scheduled"
"""The interrupted jobs that wait for the scheduler, by their times. An entry that is out of date
goes when its time has come."""
OVERDUE = 3.0
"""Seconds after its time by which a scheduler that lives has put a job on its queue."""


def overdue(connection: Any) -> list[str]:
    """The ids of the jobs on that list that should be on their queue by now."""
    return [as_text(job) for job in connection.zrangebyscore(WAITING, 0, time.time() - OVERDUE)]


def has_scheduler(connection: Any, queue: str) -> bool:
    """Whether a scheduler of RQ's minds the jobs of `queue` that wait for their time."""
    name = connection.get(RQScheduler.get_locking_key(queue))
    if name is None:
        return False
    # A scheduler that was killed holds its lock for a minute more.
    last = connection.hget(SCHEDULER_KEY_TEMPLATE % as_text(name), "last_heartbeat")
    return last is None or now() - utcparse(as_text(last)) < SILENCE
