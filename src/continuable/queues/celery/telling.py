"""Whether Celery was told of a job's end: our own record, for what must be told once.

A message may come again when its job has ended: to a worker that has told all, or to one that
finds a job whose worker died before it could. No result backend says which. So the end of a job
on which something depends (a callback, a chain, a chord, a hook of its task) is an entry of its
history.
"""

from __future__ import annotations

import logging
from typing import Any

from celery import Task

from continuable.errors import QueueError
from continuable.progress.protocol import Note, ProgressStore

logger = logging.getLogger("continuable")

TOLD = "celery.told"
"""The entry of a job's history."""
PLACES = ("callbacks", "errbacks", "chain", "chord")
HOOKS = ("on_success", "on_failure", "after_return")


def has_dependents(task: Any, request: Any) -> bool:
    """Whether it matters that the end of a task is told once."""
    if any(getattr(request, place, None) for place in PLACES):
        return True
    return any(getattr(type(task), hook) is not getattr(Task, hook) for hook in HOOKS)


def note_told(store: ProgressStore, job_id: str) -> None:
    """Celery knows the end of the job's newest execution, and so does what depends on it."""
    try:
        execution = store.find(job_id).executions
        store.note(job_id, Note.of(TOLD, {"execution": execution}))
    except QueueError as error:
        logger.warning("The end of job %s was told, which cannot be noted: %s", job_id, error)


def was_told(store: ProgressStore, job_id: str) -> bool:
    """Whether `note_told` was called since the job ran last."""
    execution = store.find(job_id).executions
    entries = store.history(job_id)
    return any(e.event == TOLD and e.data.get("execution") == execution for e in entries)
