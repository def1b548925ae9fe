"""The events of one execution, made only if somebody wants to know."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from continuable.events.stream import EventStream
from continuable.model.payload import JobRecord


class Emission:
    """Emits events about one job, by their dotted names."""

    def __init__(self, stream: EventStream, record: JobRecord) -> None:
        self._stream = stream
        self._record = record

    def wants(self, name: str) -> bool:
        """Whether anybody wants events of this kind."""
        return self._stream.wants(name)

    def emit(self, name: str, **data: Any) -> None:
        """Tell that something has happened now; `data` are the event's own fields."""
        if not self._stream.wants(name):
            return
        # With the first event that is wanted: the classes take a while to import.
        from continuable.events.kinds import EVENTS

        record = self._record
        self._stream.emit(
            EVENTS[name](
                at=datetime.now(UTC),
                job_id=record.id,
                job_name=record.name,
                queue=record.queue or "default",
                **data,
            )
        )
