"""What the worker of RQ's, to which this process belongs, has been told."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from redis.exceptions import RedisError
from rq import Queue
from rq.utils import as_text
from rq.worker import BaseWorker

STOP = "shutdown_requested_date"
"""The field of a worker that was told to stop."""
INTERVAL = 0.2
"""Seconds between two questions to Redis whether it is to stop, at least."""
COUNT = """
local count = 0
for _, queue in ipairs(KEYS) do
    count = count + redis.call('LLEN', queue)
end
return count
"""
LOOK_EVERY = 0.1
"""Seconds between two looks at its queues."""


class RunningWorker:
    """A worker by its name: in this process, or, where this is a work horse, its parent."""

    def __init__(self, connection: Any, name: str) -> None:
        self.name = name
        self._connection = connection
        self._key = BaseWorker.redis_worker_namespace_prefix + name
        pid, queues, stop = connection.hmget(self._key, "pid", "queues", STOP)
        self.queues = as_text(queues).split(",") if queues else ["default"]
        """The names of the queues that it serves, in its order."""
        self._pid = int(pid or os.getpid())
        self._is_stopping = stop is not None
        self._looks_again_at = time.monotonic() + INTERVAL

    @property
    def is_parent(self) -> bool:
        """Whether this process is a work horse."""
        return self._pid != os.getpid()

    def is_stopping(self) -> bool:
        """Whether it was told to stop, or has died and left this work horse behind."""
        if self._is_stopping:
            return True
        if self.is_parent and os.getppid() != self._pid:
            self._is_stopping = True
        elif time.monotonic() >= self._looks_again_at:
            self._looks_again_at = time.monotonic() + INTERVAL
            self._is_stopping = self._was_told_to_stop()
        return self._is_stopping

    def is_wanted(self, *, within: float) -> bool:
        """Whether it is to stop, or anything comes to wait on its queues, in so many seconds."""
        until = time.monotonic() + within
        while not self.is_stopping() and not self.count_waiting():
            if time.monotonic() >= until:
                return False
            time.sleep(LOOK_EVERY)
        return True

    def count_waiting(self) -> int:
        """How many jobs wait on its queues."""
        keys = [Queue.redis_queue_namespace_prefix + name for name in self.queues]
        return int(self._connection.eval(COUNT, len(keys), *keys))

    def _was_told_to_stop(self) -> bool:
        try:
            return bool(self._connection.hexists(self._key, STOP))
        except RedisError:
            return False  # it is asked again

    def on_sigterm(self, stop: Callable[[], object]) -> None:
        """Call `stop` where the signal reaches the work horse itself, which else dies of it.

        From here to the end of the process, since a work horse runs one job: a signal while RQ
        writes down what has become of it must not undo that.
        """
        if self.is_parent and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, lambda _number, _frame: stop())
