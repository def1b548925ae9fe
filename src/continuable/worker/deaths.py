"""The worker that finds a job without a worker, or without a message, tells what became of it."""

from __future__ import annotations

from continuable.core.interrupt import DIED
from continuable.events.emission import Emission
from continuable.events.stream import EventStream
from continuable.model.info import JobInfo
from continuable.model.payload import JobRecord
from continuable.model.states import State


def tell_died(stream: EventStream, job: JobInfo, worker: str) -> None:
    """Emit the death of `worker`, which ran `job`, and the job's failure if it has failed of it."""
    emission, place = _emission(stream, job), job.description
    if job.reason == DIED:
        emission.emit("job.died", worker=worker, description=place)
    else:
        emission.emit("job.interrupted", reason=job.reason, description=place)
    if job.state is State.FAILED:
        tell_failed(stream, job)


def tell_failed(stream: EventStream, job: JobInfo) -> None:
    """Emit the failure of a job that no execution has failed."""
    _emission(stream, job).emit("job.failed", error=job.error, description=job.description)


def _emission(stream: EventStream, job: JobInfo) -> Emission:
    return Emission(stream, JobRecord(id=job.id, name=job.name, queue=job.queue))
