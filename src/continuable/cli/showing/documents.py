"""Jobs as JSON documents, for other programs."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import click

from continuable.model.info import HistoryEntry, JobInfo, JobResult


def print_json(document: Any, *, indent: int | None = 2) -> None:
    """Write `document` to standard output; in one line with an `indent` of `None`."""
    click.echo(json.dumps(document, indent=indent, ensure_ascii=False))


def job_document(job: JobInfo) -> dict[str, Any]:
    """All that is known of a job. Arguments and cursor are in their serialised form."""
    args, kwargs = arguments_of(job)
    return {
        "id": job.id,
        "name": job.name,
        "state": job.state.value,
        "queue": job.queue,
        "priority": job.priority,
        "args": args,
        "kwargs": kwargs,
        "completed": job.completed,
        "step": job.step,
        "cursor": job.cursor,
        "done": job.done,
        "total": job.total,
        "executions": job.executions,
        "resumptions": job.resumptions,
        "deaths": job.deaths,
        "reason": job.reason,
        "error": job.error,
        "worker": job.worker,
        "longest_gap": job.longest_gap,
        "enqueued_at": moment(job.enqueued_at),
        "run_at": moment(job.run_at),
        "started_at": moment(job.started_at),
        "saved_at": moment(job.saved_at),
        "finished_at": moment(job.finished_at),
    }


def ending_document(job: JobInfo, ending: JobResult) -> dict[str, Any]:
    """`job_document` with the result, serialised, and the last traceback."""
    result = None if ending.result is None else read(ending.result)
    return job_document(job) | {"result": result, "traceback": job.traceback}


def entry_document(entry: HistoryEntry) -> dict[str, Any]:
    """One entry of a job's history."""
    return {"at": moment(entry.at), "event": entry.event, **entry.data}


def arguments_of(job: JobInfo) -> tuple[Any, Any]:
    """Positional and keyword arguments, serialised; of a damaged row its text and `None`."""
    match read(job.arguments):
        case [args, kwargs]:
            return args, kwargs
        case other:
            return other, None


def read(text: str) -> Any:
    """The JSON value of a stored text, or the text itself if it is damaged."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def moment(at: datetime | None) -> str | None:
    """A time in ISO 8601, in UTC."""
    return None if at is None else at.isoformat()
