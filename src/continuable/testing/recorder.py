"""Where the progress of a job on a `TestQueue` is kept while it runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from continuable.core.interrupt import Superseded
from continuable.core.recorder import Unrecorded
from continuable.progress.protocol import Claim, Note, ProgressStore, Save


class StoreRecorder(Unrecorded):
    """Writes all progress to the store at once, and that of a commit once it has committed."""

    def __init__(self, store: ProgressStore, claim: Claim) -> None:
        super().__init__()
        self._store = store
        self._saved = Save(claim.id, claim.fence, claim.worker, 0, claim.progress)
        self._committed = ""

    def save(self, document: str, *, is_border: bool) -> None:  # noqa: ARG002 - both are kept
        """Keep `document`, unless the job was taken away."""
        saved = self._saved
        self._saved = replace(saved, sequence=saved.sequence + 1, document=document)
        self._store.save([self._saved])

    def commit(self, document: str, connection: Any) -> None:
        """Keep `document` if the transaction on `connection` commits."""
        if not self._is_held:
            raise Superseded
        super().commit(document, connection)
        self._committed = document

    def is_committed(self) -> bool:
        """Whether the transaction of the last `commit` has been committed."""
        is_committed = super().is_committed()
        if is_committed:
            self.save(self._committed, is_border=False)
        return is_committed

    def note(self, event: str, data: dict[str, Any]) -> None:
        """Add to the job's history."""
        if self._is_held:
            self._store.note(self._saved.id, Note.of(event, data))

    @property
    def _is_held(self) -> bool:
        """Whether the claim holds: then what was saved last is there, and else it is not."""
        return self._store.is_written(self._saved)
