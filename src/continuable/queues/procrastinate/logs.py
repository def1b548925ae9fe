"""What Procrastinate logs of an interruption: one line."""

from __future__ import annotations

import logging

from continuable.queues.procrastinate.task import NoFailure

LOGGER = "procrastinate.worker"
"""Where its workers log the end of a job, with the traceback of any exception."""


def shorten_interruptions() -> None:
    """Have an interruption logged as what it is: no error, and nothing to trace back."""
    logging.getLogger(LOGGER).addFilter(_one_line)  # once, however often it is called


def _one_line(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, NoFailure):
        job = getattr(record, "job", {})
        record.msg, record.args = "Job %s[%s]: %s", (job.get("task_name"), job.get("id"), error)
        record.exc_info = record.exc_text = None
        record.levelno, record.levelname = logging.INFO, logging.getLevelName(logging.INFO)
    return True
