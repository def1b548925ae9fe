"""Progress that lives in the messages of a queue and nowhere else, where there is no store."""

from __future__ import annotations

import builtins
import threading
import time
from collections.abc import Collection, Iterable, Sequence
from typing import Any, ClassVar, NoReturn, TypeVar

from continuable.errors import CheckpointError, JobNotFoundError, QueueError
from continuable.model.info import HistoryEntry, JobInfo
from continuable.model.payload import JobRecord
from continuable.model.states import State
from continuable.progress.protocol import Note, Save
from continuable.progress.row import Row, new_row
from continuable.progress.rowstore import RowStore, Transition

A = TypeVar("A")


class MessageProgress(RowStore):
    """No store: a process knows the jobs that it runs, and the message that resumes one the rest.

    Progress is kept at interruptions and errors. A job whose process is killed starts from its
    last message, a duplicate delivery runs, and nobody can look at jobs or steer them.
    """

    is_durable: ClassVar[bool] = False
    can_commit: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[str, Row] = {}
        self._lock = threading.Lock()

    def add(self, records: Sequence[JobRecord]) -> None:
        """Waiting jobs are known to their queue alone."""

    def withdraw(self, job_id: str) -> None:
        """Nothing was written."""

    def confirm(self, record: JobRecord) -> None:
        """A message that is lost is not missed: there is no store."""

    def save(self, saves: Iterable[Save], timeout: float | None = None) -> builtins.list[str]:
        """There is nowhere to save to before the execution ends."""
        return []

    def commit(self, connection: Any, save: Save, *, again: bool = False) -> NoReturn:
        """Impossible here: a `CheckpointError`."""
        raise CheckpointError(
            "This app keeps progress in its messages, which no transaction of yours can write: a "
            "worker that is killed would commit the same rows again. Keep progress where your "
            "rows are: App(queue=..., progress=SQLAlchemyProgress(...)), DjangoProgress() or "
            "SQLiteProgress(...); or move the cursor after your own commit, with step.set()"
        )

    def is_in_transaction(self, connection: Any) -> bool:
        """Never: there is no transaction to commit in."""
        return False

    def is_written(self, save: Save) -> bool:
        """Nothing is, before the execution ends."""
        return False

    def note(self, job_id: str, note: Note, timeout: float | None = None) -> None:
        """There is no history."""

    def controls(self, worker: str) -> builtins.list[tuple[str, int, State]]:
        """The jobs that this process runs."""
        with self._lock:
            rows = [row for row in self._rows.values() if row.worker == worker]
        return [(row.id, row.fence, row.state) for row in rows]

    def version(self) -> object:
        """Nothing is ever wanted of them."""
        return 0

    def renew(self, worker: str) -> None:
        """No other process looks at the leases of this one."""

    def holders(self) -> builtins.list[tuple[str, str]]:
        """The jobs of this process alone, which lives."""
        return []

    def list(
        self,
        *,
        states: Collection[State] | None = None,
        queue: str | None = None,
        name: str | None = None,
        limit: int = 100,
    ) -> builtins.list[JobInfo]:
        """There is no store: raises `QueueError`."""
        raise _no_store()

    def counts(self) -> dict[State, int]:
        """There is no store: raises `QueueError`."""
        raise _no_store()

    def history(self, job_id: str) -> builtins.list[HistoryEntry]:
        """There is no store: raises `QueueError`."""
        raise _no_store()

    def discard(self, job_id: str) -> bool:
        """There is no store: raises `QueueError`."""
        raise _no_store()

    def prune(self, older_than: float, *, failed: bool = False, limit: int | None = None) -> int:
        """There is no store: raises `QueueError`."""
        raise _no_store()

    def _change(
        self,
        job_id: str,
        transition: Transition[A],
        *,
        record: JobRecord | None = None,
        is_retried: bool = False,
    ) -> A:
        now = time.time()
        with self._lock:
            # A claim begins with what its message says, not with what this process ran before.
            row = self._rows.get(job_id) if record is None else new_row(record, now)
            if row is None:
                raise JobNotFoundError(job_id)
            answer = transition(row, now, [])
            if row.worker is None:
                self._rows.pop(job_id, None)
            else:
                self._rows[job_id] = row
            return answer

    def _read(self, job_id: str) -> Row:
        raise _no_store()

    def _set_aside(self, job_id: str) -> None:
        """Every row here is read."""

    def _expired(self, limit: int) -> builtins.list[str]:
        return []


def _no_store() -> QueueError:
    return QueueError(
        "Nothing is known of the jobs, since the app has no store of progress: create it with "
        "App(queue=..., progress=...), or without progress=None"
    )
