"""Our record in the arguments of a Procrastinate job, beside those of the user's own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from procrastinate import jobs

from continuable.core.definition import Definition
from continuable.model.payload import JobRecord

if TYPE_CHECKING:
    from continuable.progress.protocol import ProgressStore

RESERVED = "_continuable"
"""The keyword argument that holds what a record knows, but for the job's own keyword arguments.

Of a job that was deferred by Procrastinate's own means: no more than the name of the job.
"""
NATIVE = "procrastinate-"
"""How the id begins of a job that was deferred by Procrastinate's own means."""


def task_arguments(record: JobRecord) -> dict[str, Any]:
    """The keyword arguments of the task that runs `record`."""
    plain = record.to_plain()
    return {**plain.pop("kwargs"), RESERVED: plain}


def message_of(record: JobRecord, store: ProgressStore) -> JobRecord:
    """What travels of `record`: no progress, where `store` keeps that."""
    return replace(record, progress={}) if store.is_durable else record


def record_of(job: jobs.Job, definition: Definition | None) -> JobRecord:
    """The record of a job that a worker has fetched: a new one where it has none of ours.

    Without its code such a one has no arguments, and must not be claimed. Raises `TypeError` for
    arguments that the function does not take, and `DeserializationError`.
    """
    arguments: dict[str, Any] = dict(job.task_kwargs)
    plain = arguments.pop(RESERVED, None)
    if has_record(job):
        record = JobRecord.from_plain({**plain, "kwargs": arguments})
    elif definition is None:
        record = JobRecord(id=job_id(job), name=plain["name"])
    else:
        record = JobRecord(
            id=job_id(job),
            name=definition.name,
            arguments=definition.plain_arguments((), arguments),
            queue=job.queue,
            priority=job.priority,
        )
    record.envelope = str(job.id)
    return record


def job_id(job: jobs.Job) -> str:
    """By what id people know the job."""
    plain: Any = job.task_kwargs.get(RESERVED)
    return str(plain["id"]) if has_record(job) else f"{NATIVE}{job.id}"


def has_record(job: jobs.Job) -> bool:
    """Whether it was enqueued, or has run before, and not only deferred."""
    plain: Any = job.task_kwargs.get(RESERVED)
    return plain is not None and "id" in plain
