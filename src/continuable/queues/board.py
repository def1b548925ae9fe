"""`StoreBoard`: what people see of jobs and ask of them, where a store knows the jobs."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Collection

from continuable.errors import JobStateError, QueueError
from continuable.events.requests import tell_request
from continuable.events.stream import EventStream
from continuable.model.info import HistoryEntry, JobInfo, JobResult
from continuable.model.payload import JobRecord
from continuable.model.states import State
from continuable.progress.protocol import ProgressStore


class StoreBoard:
    """The `Board` of a queue.

    Args:
        store: Knows the jobs.
        events: Finds the events of the app that has a job, by its name.
        send: Puts a job's message on the queue, or tells a worker that there is work.
        queue: Named in errors.
    """

    def __init__(
        self,
        store: ProgressStore,
        events: Callable[[str], EventStream | None],
        send: Callable[[JobRecord], object],
        queue: object,
    ) -> None:
        self._store = store
        self._events = events
        self._send = send
        self._queue = queue

    def find(self, job_id: str) -> JobInfo:
        """One job; `JobNotFoundError` where there is none."""
        return self._store.find(job_id)

    def list(
        self,
        *,
        states: Collection[State] | None = None,
        queue: str | None = None,
        name: str | None = None,
        limit: int = 100,
    ) -> builtins.list[JobInfo]:
        """Jobs, the newest first."""
        return self._store.list(states=states, queue=queue, name=name, limit=limit)

    def counts(self) -> dict[State, int]:
        """How many jobs are in each state."""
        return self._store.counts()

    def history(self, job_id: str) -> builtins.list[HistoryEntry]:
        """What was worth telling of a job, oldest first."""
        return self._store.history(job_id)

    def result(self, job_id: str) -> JobResult:
        """How a job stands; `JobNotFoundError` where there is none."""
        return self._store.result(job_id)

    def request(self, job_id: str, verb: str) -> JobInfo:
        """Ask `verb` of a job; what has to run again is put on the queue.

        Raises `QueueError` where the queue does not take it: then it is sent as if its worker had
        died.
        """
        before = self._store.result(job_id).state
        requested = self._store.request(job_id, verb)
        if (events := self._events(requested.info.name)) is not None:
            tell_request(events, verb, before, requested.info)
        if requested.record is not None:
            try:
                self._send(requested.record)
            except QueueError:
                raise
            except Exception as error:  # in the engine's own words
                raise QueueError(
                    f"Job {job_id!r} is {requested.info.state}, and could not be put on "
                    f"{self._queue!r} ({type(error).__name__}): a worker does that once it can"
                ) from error
            self._store.confirm(requested.record)
        return requested.info

    def discard(self, job_id: str) -> JobInfo:
        """Forget one job with its progress, result and history; how it stood."""
        info = self._store.find(job_id)
        if info.state.is_running or not self._store.discard(job_id):
            allowed = ", ".join(state for state in State if state.is_finished)
            raise JobStateError(job_id, info.state, "discard", allowed)
        return info

    def prune(self, older_than: float, *, failed: bool = False) -> int:
        """Forget jobs that finished over `older_than` seconds ago; how many those were."""
        return self._store.prune(older_than, failed=failed)
