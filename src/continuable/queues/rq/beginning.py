"""What is to be known before a job runs: asked in one round trip, since each costs a work horse."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis.exceptions import NoScriptError
from rq import Queue
from rq.job import Job
from rq.utils import as_text
from rq.worker import BaseWorker

from continuable.progress.protocol import Claim
from continuable.progress.redis.store import SCRIPTS, RedisProgress
from continuable.queues.rq.message import FIELD, Message
from continuable.queues.rq.sentry import KEY
from continuable.queues.rq.worker import STOP

BEGIN = (
    f"local function claim(KEYS, ARGV)\n{SCRIPTS['claim']}\nend\n"
    f"{(Path(__file__).parent / 'begin.lua').read_text('utf-8')}"
)
HASH = hashlib.sha1(BEGIN.encode(), usedforsecurity=False).hexdigest()
LOOKED_BACK = "continuable-looked-back"
LOOK_BACK_EVERY = 10.0
"""Seconds of a lease: work horses look in half of it for what others have left behind."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """A job is about to run in this process."""

    pid: int
    """The process of the worker."""
    queues: list[str]
    """The names of the queues that it serves, in its order."""
    is_stopping: bool
    """Whether it was told to stop."""
    message: Message | None
    """What rides with the job, if it was enqueued by our means."""
    claim: Claim | None
    """Of a job that simply waited, and whose progress is kept beside it."""
    is_turn_to_look_back: bool
    """Whether this process looks at once for what others have left behind."""
    is_sentry_missing: bool
    """Whether this process is to post it; nobody else does for now."""
    waiting: int
    """Jobs on these queues, the sentry that is to be posted among them."""


def begin(
    connection: Any,
    job: Job,
    *,
    claimant: str,
    lease: float,
    store: RedisProgress | None,
    sentry_lasts: int,
) -> Beginning:
    """Ask, and have `claimant` claim the job in `store`, where that is in the same Redis.

    `sentry_lasts` are milliseconds, or 0 where no sentry is needed.
    """
    worker = BaseWorker.redis_worker_namespace_prefix + (job.worker_name or "")
    look_back = max(1, int(500 * min(lease, LOOK_BACK_EVERY)))
    keys = [worker, job.key, LOOKED_BACK, KEY, *(store.claim_keys(job.id) if store else [])]
    queue = Queue.redis_queue_namespace_prefix
    arguments = [STOP, FIELD, os.getpid(), look_back, sentry_lasts, queue, job.id, claimant, lease]
    try:
        found = connection.evalsha(HASH, len(keys), *keys, *arguments)
    except NoScriptError:
        found = connection.eval(BEGIN, len(keys), *keys, *arguments)
    pid, queues, stop, text, claimed, retries, is_turn, is_missing, waiting = found
    claim = RedisProgress.claimed(job.id, claimant, claimed)
    if claim is not None:
        record = claim.identity()
        record.executions -= 1  # as its message says it: this claim may be given back
        message: Message | None = Message(record, retries=retries)
    else:
        message = None if text is None else Message.from_json(text)
    return Beginning(
        pid=int(pid or os.getpid()),
        queues=as_text(queues).split(",") if queues else ["default"],
        is_stopping=stop is not None,
        message=message,
        claim=claim,
        is_turn_to_look_back=bool(is_turn),
        is_sentry_missing=bool(is_missing),
        waiting=int(waiting),
    )
