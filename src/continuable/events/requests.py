"""What people ask of a job that does not run is told at once; the rest, its execution tells."""

from __future__ import annotations

from continuable.events.emission import Emission
from continuable.events.stream import EventStream
from continuable.model.info import JobInfo
from continuable.model.payload import JobRecord
from continuable.model.states import State


def tell_request(stream: EventStream, verb: str, before: State, job: JobInfo) -> None:
    """Emit what `verb` has made of a job that was in the state `before`."""
    emission = Emission(stream, JobRecord(id=job.id, name=job.name, queue=job.queue))
    if verb == "restart":
        emission.emit("job.restarted")
    elif job.state is before:
        return
    elif job.state is State.PAUSED:
        emission.emit("job.paused", description=job.description)
    elif job.state is State.CANCELLED:
        emission.emit("job.cancelled", reason="cancelled", description=job.description)
