"""How a course hears of an execution: every checkpoint, and every save that must be durable."""

from __future__ import annotations

from typing import Any

from continuable.connections.outcome import mark_in
from continuable.core.attention import Attention
from continuable.core.recorder import Unrecorded
from continuable.testing.resumability.course import Course


class Watch(Attention):
    """Has the course pass every checkpoint of an execution."""

    def __init__(self, course: Course) -> None:
        super().__init__()
        self.raised = True
        self.attend = course.pass_checkpoint  # type: ignore[method-assign]


class CourseRecorder(Unrecorded):
    """Has the course pass every save that must be durable."""

    def __init__(self, course: Course) -> None:
        super().__init__()
        self._course = course

    def save(self, document: str, *, is_border: bool) -> None:
        """The end of a step; no other save is ever asked for."""
        if is_border:
            self._course.pass_border(document)

    def commit(self, document: str, connection: Any) -> None:
        """Durable if the transaction on `connection` commits."""
        self._mark = mark_in(connection)
        self._course.pass_commit(document, self._mark)

    def is_committed(self) -> bool:
        """Whether the transaction of the last `commit` has been committed."""
        is_committed = super().is_committed()
        if is_committed:
            self._course.confirm_commit()
        elif not self.is_in_transaction():
            self._course.dismiss_commit()
        return is_committed
