"""Aborts that people ask of Procrastinate: the job is cancelled at its next checkpoint."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from procrastinate import JobContext
from procrastinate.job_context import AbortReason

from continuable.errors import QueueError


class Aborts:
    """Looks out for them, for plain jobs: an `async def` one is told by its worker.

    Args:
        cancel: Cancels a job by its id.
    """

    def __init__(self, cancel: Callable[[str], object]) -> None:
        self._cancel = cancel
        self._contexts: dict[str, JobContext] = {}

    @contextmanager
    def watched(self, job_id: str, context: JobContext) -> Iterator[None]:
        """While the job runs."""
        self._contexts[job_id] = context
        try:
            yield
        finally:
            self._contexts.pop(job_id, None)

    def look_out(self) -> None:
        """Pass on what was asked for."""
        for job_id, context in list(self._contexts.items()):
            if context.abort_reason() is AbortReason.USER_REQUEST:
                self._contexts.pop(job_id, None)
                with contextlib.suppress(QueueError):  # it has ended, or there is no store
                    self._cancel(job_id)
