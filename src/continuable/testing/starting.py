"""Jobs that are put on a `TestQueue` as if they had come half their way."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from continuable.declaration.definition import JobDefinition
from continuable.declaration.handle import Handle
from continuable.model.payload import Enqueueing, JobRecord
from continuable.testing.assumed import ASSUMED
from continuable.testing.interrupting import queue_of

_NOTHING: Mapping[str, Any] = MappingProxyType({})


def start_at(
    job: JobDefinition[..., Any],
    step: str,
    *,
    cursor: Any = None,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] = _NOTHING,
    completed: Sequence[str] | None = None,
    values: Mapping[str, Any] = _NOTHING,
    state: Mapping[str, Any] = _NOTHING,
) -> Handle[Any]:
    """Enqueue `job` as if it had been interrupted in `step` at `cursor`.

    Args:
        job: The job, of an app on a `TestQueue`.
        step: The step to resume in.
        cursor: The cursor to resume at.
        args: The arguments of the job.
        kwargs: Its keyword arguments.
        completed: The steps before it. If left out, whatever steps the job comes by before
            `step` are taken for completed, and skipped.
        values: What those steps have returned, by their names; `None` for the others.
        state: `job.state`.
    """
    plain_cursor = job.codec.dump(cursor, f"The cursor of step {step!r}")
    progress = {"completed": list(completed or ()), "current": [step, plain_cursor]}
    return _start(job, progress, args, kwargs, completed is None, values, state)


def start_after(
    job: JobDefinition[..., Any],
    step: str,
    *,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] = _NOTHING,
    completed: Sequence[str] | None = None,
    values: Mapping[str, Any] = _NOTHING,
    state: Mapping[str, Any] = _NOTHING,
) -> Handle[Any]:
    """Enqueue `job` as if it had been interrupted when `step` was completed. See `start_at`."""
    progress = {"completed": [*(completed or ()), step]}
    return _start(job, progress, args, kwargs, completed is None, values, state)


def _start(
    job: JobDefinition[..., Any],
    progress: dict[str, Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    assumes: bool,  # noqa: FBT001
    values: Mapping[str, Any],
    state: Mapping[str, Any],
) -> Handle[Any]:
    queue, codec = queue_of(job), job.codec
    if assumes:
        progress[ASSUMED] = True
    if values:
        progress["values"] = {
            name: codec.dump(value, f"The value of step {name!r}") for name, value in values.items()
        }
    if state:
        progress["state"] = codec.dump(dict(state), "job.state")
    record = JobRecord(
        id=os.urandom(10).hex(),
        name=job.name,
        arguments=job.plain_arguments(args, kwargs),
        queue=job.options.queue,
        priority=job.options.priority,
        executions=1,
        resumptions=1,
        progress=progress,
    )
    queue.enqueue([Enqueueing(record=record)])
    return job.handle(record.id, is_new=True)
