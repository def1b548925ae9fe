"""Dead workers are found, buried, and their jobs brought back: each watcher does it for all."""

from __future__ import annotations

from continuable.events.emission import Emission
from continuable.events.stream import EventStream
from continuable.model.payload import JobRecord
from continuable.model.states import State
from continuable.queues.embedded.liveness import (
    WorkerLock,
    bury,
    dead_workers,
    known_workers,
)
from continuable.queues.embedded.recovery import Recovered
from continuable.queues.embedded.table import JobTable
from continuable.queues.embedded.wakeup import ring
from continuable.worker.watcher import Duty

INTERVAL = 0.4
"""Seconds between two looks for dead workers."""
PRUNING_INTERVAL = 10.0
PARTS = 4
"""Of old jobs, that are forgotten at a time: the watcher has other things to do."""


def pruning(table: JobTable, keep_finished: float) -> Duty:
    """Old jobs are forgotten little by little."""
    return Duty("old jobs", PRUNING_INTERVAL, lambda: table.prune(keep_finished, parts=PARTS))


def sweeping(table: JobTable, worker: str, events: EventStream) -> Duty:
    """The jobs of workers that have died are brought back."""
    return Duty("workers", INTERVAL, lambda: sweep(table, worker, events))


def staying_alive(lock: WorkerLock) -> Duty:
    """A lock that was lost is taken again, before somebody misses it."""
    return Duty("lock", INTERVAL, lock.keep)


def sweep(table: JobTable, worker: str, events: EventStream) -> None:
    """Bring back the jobs of whoever has died, but for `worker`, which is alive."""
    database = table.database
    database.check()
    suspects = {*table.workers(), *known_workers(database.path)} - {worker}
    dead = dead_workers(database.path, suspects)
    if not dead:
        return
    recovered = table.recover(dead)
    bury(database.path, dead)
    if recovered:
        ring(database.path)
    for job in recovered:
        tell(job, events)


def tell(job: Recovered, events: EventStream) -> None:
    """Emit what has become of a job."""
    record = JobRecord(id=job.id, name=job.name, queue=job.queue)
    emission = Emission(events, record)
    if job.state is State.FAILED:
        emission.emit("job.failed", error=job.error, description=job.description)
    else:
        emission.emit("job.interrupted", reason=job.reason, description=job.description)
