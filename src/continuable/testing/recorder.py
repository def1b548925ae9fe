"""Where the progress of a job on a `TestQueue` is kept while it runs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from continuable.connections.outcome import Mark, mark_in
from continuable.core.interrupt import Superseded
from continuable.testing.entries import Entry


class MemoryRecorder:
    """Keeps progress in the job's entry, as long as the job is not taken away."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry
        self._fence = entry.fence
        self._mark: Mark | None = None
        self._marked = ""

    @property
    def is_fenced_out(self) -> bool:
        """Whether the job was taken away: it was restarted."""
        return self._entry.fence != self._fence

    def save(self, document: str, *, is_border: bool) -> None:  # noqa: ARG002 - both are kept
        """Keep `document`."""
        if self.is_fenced_out:
            return
        record = self._entry.record
        record.progress = json.loads(document)
        self._entry.keep(record)
        self._entry.saved_at = datetime.now(UTC)

    def commit(self, document: str, connection: Any) -> None:
        """Keep `document` if the transaction on `connection` commits."""
        if self.is_fenced_out:
            raise Superseded
        self._mark, self._marked = mark_in(connection), document

    def is_in_transaction(self) -> bool:
        """Whether the transaction of the last `commit` is still open."""
        return self._mark is not None and self._mark.is_open()

    def is_committed(self) -> bool:
        """Whether the transaction of the last `commit` has been committed."""
        if self._mark is None or not self._mark.is_committed():
            return False
        self.save(self._marked, is_border=False)
        return True

    def note(self, event: str, data: dict[str, Any]) -> None:
        """Add to the job's history."""
        if not self.is_fenced_out:
            self._entry.note(event, data)
