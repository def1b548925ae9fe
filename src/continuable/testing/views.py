"""What a test sees of the jobs on its queue: those that wait, and the one that runs."""

# ruff: noqa: SLF001 - a running job is looked at from inside
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from continuable.core.continuation import Continuation
    from continuable.core.execution import Execution


@dataclass(frozen=True, slots=True, kw_only=True)
class EnqueuedJob:
    """A job that waits on a `TestQueue`."""

    id: str
    name: str
    args: tuple[Any, ...]
    """The values themselves, as the job will be handed them."""
    kwargs: dict[str, Any]
    queue: str
    priority: int
    wait: float
    """Seconds that a worker would wait before it starts; a `TestQueue` does not."""
    executions: int
    resumptions: int
    progress: dict[str, Any]
    """Plain data: `{"completed": ["validate"], "current": ["process_records", 433]}`."""
    reason: str | None
    """Why it was interrupted last."""


class RunningJob:
    """A job at one of its checkpoints: what `TestQueue.stopping` is asked about."""

    def __init__(self, execution: Execution, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._execution = execution
        record = execution.record
        self.id = record.id
        self.name = record.name
        self.args = args
        self.kwargs = kwargs
        self.queue = record.queue or "default"
        self.priority = record.priority
        self.executions = record.executions
        self.resumptions = record.resumptions

    @property
    def step(self) -> str | None:
        """The step it is in; `None` between two steps."""
        return self._execution.step

    @property
    def cursor(self) -> Any:
        """The cursor of that step."""
        running = self._continuation.running
        return None if running is None else running.cursor

    @property
    def completed(self) -> list[str]:
        """The steps it has completed, in order."""
        return list(self._continuation.completed)

    @property
    def progress(self) -> dict[str, Any]:
        """What would be kept if it were interrupted here, as plain data."""
        self._execution._checkpoints.confirm_commit()
        return self._continuation.plain()

    @property
    def description(self) -> str:
        """Where it is, in words."""
        return self._execution.description

    @property
    def _continuation(self) -> Continuation:
        return self._execution._checkpoints.continuation

    def __repr__(self) -> str:
        return f"<RunningJob {self.name} {self.id} {self.description}>"
