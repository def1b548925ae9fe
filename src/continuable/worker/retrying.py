"""Writing how a job ended, however long it takes: nothing is lost meanwhile."""

from __future__ import annotations

import contextlib
import gc
import inspect
import logging
import sys
import time
import traceback
from collections.abc import Callable
from typing import TypeVar

from continuable.core.report import all_behind, traceback_of
from continuable.errors import StoreBusyError, StoreError
from continuable.events.log import try_to_log

T = TypeVar("T")

LOCK_WAIT = 5.0
FIRST_LOCK_WAIT = 0.25
"""Seconds: it may be the job's own connection that holds the lock, until it is collected."""
KEEPS_LOCALS = sys.version_info < (3, 13)
"""Whether a frame of a function keeps its locals once an error tracker has read them."""
PAUSES = (0.05, 0.2, 0.5, 1.0)


def until_written(
    write: Callable[[float], T],
    job_id: str,
    *,
    error: BaseException | None = None,
    is_over: Callable[[], bool] = lambda: False,
) -> T:
    """What `write` gives, once it succeeds; it is handed the seconds to wait for a lock.

    Args:
        write: Writes how the execution ended.
        job_id: The job.
        error: What the job has raised. The frames of its traceback may hold a connection whose
            transaction locks the database: they are cleared where that is found locked.
        is_over: Asked after each attempt. True: raise the last `StoreError`.
    """
    attempt, is_reported = 0, False
    while True:
        try:
            return write(LOCK_WAIT if attempt else FIRST_LOCK_WAIT)
        except StoreError as trouble:
            if is_over():
                raise
            if error is not None and isinstance(trouble, StoreBusyError):
                free_frames(error)
            # A cycle may keep a connection of the job's own alive, and its transaction open.
            gc.collect()
            if attempt or not isinstance(trouble, StoreBusyError):
                if not is_reported:
                    is_reported = True
                    message = "How job %s ended cannot be written yet: %s"
                    try_to_log(logging.ERROR, message, job_id, trouble)
                time.sleep(PAUSES[min(attempt, len(PAUSES) - 1)])
            attempt += 1


def free_frames(error: BaseException) -> None:
    """Let go of what the frames hold through which `error`, and what caused it, went."""
    for one in all_behind(error):
        for frame, _ in traceback.walk_tb(traceback_of(one)):
            with contextlib.suppress(RuntimeError):  # it is running
                frame.clear()
                if KEEPS_LOCALS and frame.f_code.co_flags & inspect.CO_OPTIMIZED:
                    frame.f_locals.clear()
