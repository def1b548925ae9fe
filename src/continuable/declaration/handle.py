"""`Handle`: one job on its queue, to be watched and steered from outside."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from continuable.errors import JobCancelledError, JobFailedError
from continuable.model.states import State

if TYPE_CHECKING:
    from continuable.model.info import JobInfo, JobResult
    from continuable.serialization import Codec

R = TypeVar("R")

FIRST_PAUSE = 0.002
LONGEST_PAUSE = 0.1


class Handle(Generic[R]):
    """A job by its id. Every method looks the job up, and raises `JobNotFoundError` without one."""

    def __init__(
        self, get_queue: Callable[[], Any], codec: Codec, job_id: str, *, is_new: bool = False
    ) -> None:
        self._get_queue = get_queue
        self._codec = codec
        self.id = job_id
        self.is_new = is_new
        """Whether this call has enqueued it; False if a job of its `unique` key was there."""

    def state(self) -> State:
        """Where the job stands now."""
        return self._result().state

    def info(self) -> JobInfo:
        """All that is known of the job now."""
        return cast("JobInfo", self._get_queue().board.find(self.id))

    def result(self, timeout: float | None = None) -> R:
        """Wait for the job to end, and return what it returned.

        Raises `JobFailedError` or `JobCancelledError` if it ended so, and `TimeoutError` after
        `timeout` seconds.
        """
        for pause in _pauses(self.id, timeout):
            found = self._result()
            if found.state.is_finished:
                break
            time.sleep(pause)
        return self._value(found)

    async def aresult(self, timeout: float | None = None) -> R:  # noqa: ASYNC109 - as `result`
        """The same from async code."""
        import asyncio

        for pause in _pauses(self.id, timeout):
            found = await asyncio.to_thread(self._result)
            if found.state.is_finished:
                break
            await asyncio.sleep(pause)
        return self._value(found)

    def pause(self) -> JobInfo:
        """Hold the job: at once if it waits, at its next checkpoint if it runs."""
        return self._request("pause")

    def resume(self) -> JobInfo:
        """Let a paused job carry on at its cursor, or an interrupted one without its wait."""
        return self._request("resume")

    def cancel(self) -> JobInfo:
        """Stop the job for good: at once if it waits, at its next checkpoint if it runs."""
        return self._request("cancel")

    def retry(self) -> JobInfo:
        """Run a failed or cancelled job again from its last checkpoint."""
        return self._request("retry")

    def restart(self) -> JobInfo:
        """Run the job again from the beginning; an execution that is running is superseded."""
        return self._request("restart")

    def discard(self) -> JobInfo:
        """Forget the job with its progress, result and history; how it stood.

        Raises `JobStateError` while it runs, and on another engine's queue until it has ended.
        """
        return cast("JobInfo", self._get_queue().board.discard(self.id))

    def _request(self, verb: str) -> JobInfo:
        return cast("JobInfo", self._get_queue().board.request(self.id, verb))

    def _result(self) -> JobResult:
        return cast("JobResult", self._get_queue().board.result(self.id))

    def _value(self, found: JobResult) -> R:
        if found.state is State.FAILED:
            raise JobFailedError(self.id, found.error or "", found.traceback or "")
        if found.state is State.CANCELLED:
            raise JobCancelledError(self.id, found.reason or "")
        value: Any = self._codec.loads(found.result or "null", f"The result of {self.id!r}")
        return cast("R", value)

    def __repr__(self) -> str:
        return f"<Handle of job {self.id}>"


def _pauses(job_id: str, timeout: float | None) -> Iterator[float]:
    """Seconds to sleep between two looks, longer and longer; `TimeoutError` at their end."""
    deadline = None if timeout is None else time.monotonic() + timeout
    pause = FIRST_PAUSE
    while True:
        yield pause if deadline is None else max(0.0, min(pause, deadline - time.monotonic()))
        if deadline is not None and time.monotonic() >= deadline:
            message = f"Job {job_id!r} has not ended within {timeout} s (it goes on)"
            raise TimeoutError(message)
        pause = min(pause * 1.5, LONGEST_PAUSE)
