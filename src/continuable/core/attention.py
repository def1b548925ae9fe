"""The one flag that a checkpoint tests, and what is wanted of the job when it is set."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from continuable.core.interrupt import CANCELLED, PAUSED

if TYPE_CHECKING:
    from continuable.core.position import Position


class Attention:
    """What a running job has to attend to at its next checkpoint.

    Raised by any thread, attended to by the one that runs the job.
    """

    __slots__ = (
        "interrupt_reason",
        "is_save_due",
        "is_superseded",
        "longest_gap",
        "poll",
        "raised",
        "raised_at",
        "step",
    )

    def __init__(self) -> None:
        self.raised = False
        self.raised_at: float | None = None
        """When the flag was raised that nobody has attended to yet (monotonic seconds)."""
        self.longest_gap = 0.0
        """The longest time, in seconds, that a raised flag waited for a checkpoint."""
        self.interrupt_reason: str | None = None
        self.is_save_due = False
        self.is_superseded = False
        self.poll: Callable[[], str | bool | None] | None = None
        self.step: Position[Any] | None = None

    def interrupt(self, reason: str) -> None:
        """Ask the job to stop at its next checkpoint. The first reason stays; cancel wins."""
        if self.interrupt_reason is None or reason == CANCELLED:
            self.interrupt_reason = reason
        self._raise()

    def unpause(self) -> None:
        """Take a pause back that has not come about yet."""
        if self.interrupt_reason == PAUSED:
            self.interrupt_reason = None

    def request_save(self) -> None:
        """Ask the job to hand over its progress at its next checkpoint."""
        self.is_save_due = True
        self._raise()

    def supersede(self) -> None:
        """Tell the job that a newer execution has taken over."""
        self.is_superseded = True
        self._raise()

    def ask_at_every_checkpoint(self, poll: Callable[[], str | bool | None]) -> None:
        """Have `poll` asked at every checkpoint: a reason, or True for `stopping`, interrupts."""
        self.poll = poll
        self._raise()

    def attend(self) -> str | bool | None:
        """Lower the flag; the answer is the reason to interrupt for, if there is one."""
        if self.raised_at is not None:
            self.longest_gap = max(self.longest_gap, time.monotonic() - self.raised_at)
            self.raised_at = None
        # Lowered before anything is read, so that what is asked for from now on raises it.
        self.raised = self.poll is not None
        if self.interrupt_reason is not None:
            self.raised = True
            return self.interrupt_reason
        return self.poll() if self.poll is not None else None

    def _raise(self) -> None:
        if self.raised_at is None:
            self.raised_at = time.monotonic()
        self.raised = True
        # A step tests no flag: it compares types, and none equals this. Cleared after the flag
        # is raised; the step settles before it reads the flag. So one of the two always sees.
        step = self.step
        if step is not None:
            step._settled = None
