"""Writing how a job ended, however long it takes: nothing is lost meanwhile."""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Callable
from typing import TypeVar

from continuable.errors import StoreBusyError, StoreError
from continuable.events.log import try_to_log

T = TypeVar("T")

LOCK_WAIT = 5.0
FIRST_LOCK_WAIT = 0.25
"""Seconds: it may be the job's own connection that holds the lock, until it is collected."""
PAUSES = (0.05, 0.2, 0.5, 1.0)


def patiently(
    write: Callable[[float], T], job_id: str, *, is_over: Callable[[], bool] = lambda: False
) -> T:
    """What `write` gives, once it succeeds; it is handed the seconds to wait for a lock.

    Raises the last `StoreError` where it `is_over` before.
    """
    attempt, is_reported = 0, False
    while True:
        try:
            return write(LOCK_WAIT if attempt else FIRST_LOCK_WAIT)
        except StoreError as error:
            if is_over():
                raise
            # A cycle may keep a connection of the job's own alive, and its transaction open.
            gc.collect()
            if attempt or not isinstance(error, StoreBusyError):
                if not is_reported:
                    is_reported = True
                    message = "How job %s ended cannot be written yet: %s"
                    try_to_log(logging.ERROR, message, job_id, error)
                time.sleep(PAUSES[min(attempt, len(PAUSES) - 1)])
            attempt += 1
