"""`ContinuableTask`: a task of Procrastinate that may come back without having failed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from procrastinate import Blueprint, RetryDecision, exceptions, jobs, tasks

from continuable.queues.procrastinate.messages import RESERVED

PARKED = datetime(9999, 1, 1, tzinfo=UTC)
"""When a paused job is scheduled for: it keeps its row, and its place behind its lock."""


class NoFailure(Exception):
    """What a job raises to tell its worker what becomes of its row."""


class ComesBack(NoFailure):
    """It ends its execution, and is to be fetched again."""

    def __init__(self, why: str, decision: RetryDecision) -> None:
        super().__init__(why)
        self.decision = decision


class TakenOver(NoFailure):
    """Another execution of the job has its row, so that this one may not touch it."""


class Aborted(NoFailure, exceptions.JobAborted):
    """It is cancelled, which Procrastinate calls aborted."""


class ContinuableTask(tasks.Task[Any, Any, Any]):
    """Its `retry_strategy` decides on errors, and hears of nothing else.

    Args:
        func: What a direct call of the task runs.
        adopt: Told of the blueprint or the app that has the task, at first and whenever another
            takes it over, as the app of a Django project does once that is ready.
        **options: Those of every task.
    """

    def __init__(
        self, func: Callable[..., Any], *, adopt: Callable[[Blueprint], None], **options: Any
    ) -> None:
        self._adopt = adopt
        super().__init__(func, **options)

    @property
    def blueprint(self) -> Blueprint:
        """Whose task it is."""
        return self._blueprint

    @blueprint.setter
    def blueprint(self, blueprint: Blueprint) -> None:
        self._blueprint = blueprint
        self._adopt(blueprint)

    def configure(self, **options: Any) -> jobs.JobDeferrer:
        """As of every task. A worker sees that the job is ours, be its code there or not."""
        arguments = {RESERVED: {"name": self.name}, **(options.get("task_kwargs") or {})}
        return super().configure(**{**options, "task_kwargs": arguments})

    def get_retry_exception(
        self, exception: BaseException, job: jobs.Job
    ) -> exceptions.JobRetry | None:
        """What a worker asks of an exception that a task has raised."""
        if isinstance(exception, ComesBack):
            return exceptions.JobRetry(exception.decision)
        if isinstance(exception, NoFailure):
            return None
        return super().get_retry_exception(exception, job)
