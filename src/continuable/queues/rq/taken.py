"""Jobs that a worker of RQ's has taken, and has died with before they began.

No lease of ours tells of these. RQ looks for them each ten minutes.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from typing import Any

from rq import Queue
from rq.exceptions import NoSuchJobError
from rq.executions import Execution
from rq.job import Job, JobStatus
from rq.utils import as_text
from rq.worker import BaseWorker


def abandoned(queue: Queue) -> Iterator[Job]:
    """The jobs that RQ takes for started, and that nobody will begin any more.

    A worker in another container of the same name may be taken for dead: whoever sends its job
    again does no harm by that.
    """
    connection: Any = queue.connection
    entries = connection.zrange(queue.started_job_registry.key, 0, -1, withscores=True)
    for entry, expires_at in entries:
        execution = Execution.from_composite_key(as_text(entry), connection)
        try:
            job = Job.fetch(execution.job_id, connection, queue.serializer)
        except NoSuchJobError:
            continue
        worker = connection.hget(execution.key, "worker_name")
        if worker is None and job.get_status(refresh=False) is JobStatus.STARTED:
            worker = job.worker_name  # an older RQ has it there, once its process is there
        if expires_at < time.time() or (worker is not None and _has_died(connection, worker)):
            yield job


def _has_died(connection: Any, worker: bytes | str) -> bool:
    key = BaseWorker.redis_worker_namespace_prefix + as_text(worker)
    pid, host = connection.hmget(key, "pid", "hostname")
    if pid is None:
        return True
    if as_text(host) != socket.gethostname():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
