"""A job that starts in its middle: steps that stand before it are taken for completed."""

# ruff: noqa: SLF001 - the continuation of an execution is replaced
from __future__ import annotations

from typing import Any

from continuable.core.continuation import Continuation
from continuable.core.execution import Execution
from continuable.core.job import Job

ASSUMED = "assumed"
"""Marks progress that does not name the steps before the one it starts at."""


class AssumingContinuation(Continuation):
    """Until the job comes by all that its progress names, every other step counts as completed.

    A step skipped so has the value that the progress has for it, or `None`.
    """

    def encounter(self, name: str, formerly: str | None = None) -> bool:
        """As in any continuation, once the assumed steps have been come by."""
        if self.running is None and self._is_assumed(name, formerly):
            self.completed.insert(self.seen, name)
            self._completed_before += 1
            self.seen += 1
            return True
        return super().encounter(name, formerly)

    def plain(self) -> dict[str, Any]:
        """The progress as plain data, which keeps the assumption as long as it holds."""
        return super().plain() | ({ASSUMED: True} if self._assumes else {})

    @property
    def _assumes(self) -> bool:
        return self.seen < len(self.completed) or self.resume_from is not None

    def _is_assumed(self, name: str, formerly: str | None) -> bool:
        named = {*self.completed, self.resume_from} - {None}
        return self._assumes and named.isdisjoint({name, formerly})


class AssumingExecution(Execution):
    """An execution of a job that `start_at` or `start_after` has put on the queue."""

    def _begin(self) -> tuple[Job, list[Any], dict[str, Any]]:
        job, args, kwargs = super()._begin()
        continuation = AssumingContinuation(
            self.record.progress,
            self._codec,
            removed_steps=self.definition.options.removed_steps,
        )
        self._continuation = self._checkpoints.continuation = job._continuation = continuation
        return job, args, kwargs
