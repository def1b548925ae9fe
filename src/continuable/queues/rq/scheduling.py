"""RQ's scheduler, which puts jobs on their queue when their time has come."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from rq.scheduler import SCHEDULER_KEY_TEMPLATE, RQScheduler
from rq.utils import as_text, now, utcparse

SILENCE = timedelta(seconds=10)
"""After which a scheduler of RQ's, which gives a sign of life each second, is taken for dead."""


def has_scheduler(connection: Any, queue: str) -> bool:
    """Whether a scheduler of RQ's minds the jobs of `queue` that wait for their time."""
    name = connection.get(RQScheduler.get_locking_key(queue))
    if name is None:
        return False
    # A scheduler that was killed holds its lock for a minute more.
    last = connection.hget(SCHEDULER_KEY_TEMPLATE % as_text(name), "last_heartbeat")
    return last is None or now() - utcparse(as_text(last)) < SILENCE
