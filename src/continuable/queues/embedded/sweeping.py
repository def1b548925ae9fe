"""Dead workers are found, and their jobs brought back: each worker does it for all."""

from __future__ import annotations

from continuable.core.interrupt import DIED
from continuable.events.stream import EventStream
from continuable.queues.embedded.liveness import (
    Watch,
    WorkerLock,
    known_workers,
    last_word,
    remove_files,
)
from continuable.queues.embedded.notifier import notify
from continuable.queues.embedded.table import JobTable
from continuable.worker.deaths import tell_died
from continuable.worker.periodic import PeriodicTask

INTERVAL = 0.4
"""Seconds between two looks for dead workers."""


def sweeping(table: JobTable, worker: str, events: EventStream) -> PeriodicTask:
    """The jobs of workers that have died are brought back."""
    watch = Watch(table.database.path)
    return PeriodicTask("workers", INTERVAL, lambda: sweep(table, worker, events, watch))


def staying_alive(lock: WorkerLock) -> PeriodicTask:
    """A lock that was lost is taken again, before somebody misses it: part of the heartbeat."""
    return PeriodicTask("lock", INTERVAL, lock.keep)


def sweep(table: JobTable, worker: str, events: EventStream, watch: Watch) -> None:
    """Bring back the jobs of workers that have died, but for `worker`, which is alive."""
    path = table.database.path
    table.database.check()
    suspects = {*table.workers(), *known_workers(path)} - {worker}
    dead = watch.dead(suspects)
    if not dead:
        return
    reclaimed = [
        (one, job)
        for one in sorted(dead)
        for job in table.reclaim([one], last_word(path, one) or DIED)
    ]
    remove_files(path, dead)
    if reclaimed:
        notify(path)
    for one, job in reclaimed:
        tell_died(events, job, one)
