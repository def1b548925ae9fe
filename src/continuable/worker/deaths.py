"""The worker that finds the job of a dead one tells what has become of the job."""

from __future__ import annotations

from continuable.core.interrupt import DIED
from continuable.events.emission import Emission
from continuable.events.stream import EventStream
from continuable.model.info import JobInfo
from continuable.model.payload import JobRecord
from continuable.model.states import State


def tell_lost(stream: EventStream, job: JobInfo, worker: str) -> None:
    """Emit what has become of a job that was `worker`'s."""
    emission = Emission(stream, JobRecord(id=job.id, name=job.name, queue=job.queue))
    place = job.description
    if job.reason == DIED:
        emission.emit("job.died", worker=worker, description=place)
    else:
        emission.emit("job.interrupted", reason=job.reason, description=place)
    if job.state is State.FAILED:
        emission.emit("job.failed", error=job.error, description=place)
