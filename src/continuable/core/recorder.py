"""What an execution asks of the keeper of its progress."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from continuable.connections.outcome import Mark


class Recorder(Protocol):
    """Keeps the progress of one execution. A queue with a store has one for each running job.

    No method raises because the store is away: that is the store's to retry and to report.
    """

    def save(self, document: str, *, is_border: bool) -> None:
        """Keep `document`, the newest progress; at a step's border before the next one begins."""
        ...

    async def asave(self, document: str) -> None:
        """The same at the border of an `async def` job's step: the event loop goes on meanwhile."""
        ...

    def commit(self, document: str, connection: Any) -> None:
        """Keep `document` inside the user's transaction that is open on `connection`.

        Raises `Superseded` where a newer execution has taken over, and `CheckpointError`
        without an open transaction or on a database that does not hold the progress.
        """
        ...

    def is_in_transaction(self) -> bool:
        """Whether the transaction of the last `commit` is still open."""
        ...

    def is_committed(self) -> bool:
        """Whether the transaction of the last `commit` has been committed."""
        ...

    def note(self, event: str, data: dict[str, Any]) -> None:
        """Add what the job itself wants told to its history."""
        ...


class Unrecorded:
    """Progress that lives in the payload alone: written down when the job is interrupted."""

    def __init__(self) -> None:
        self._mark: Mark | None = None

    def save(self, document: str, *, is_border: bool) -> None:
        """There is nowhere to save to before the execution ends."""

    async def asave(self, document: str) -> None:
        """As `save` at a border, which here waits for nothing."""
        self.save(document, is_border=True)

    def commit(self, document: str, connection: Any) -> None:  # noqa: ARG002 - see there
        """The rows are the user's to commit; `document` rides in the payload if they are."""
        from continuable.connections.outcome import mark_in

        self._mark = mark_in(connection)

    def is_in_transaction(self) -> bool:
        """Whether the transaction of the last `commit` is still open."""
        return self._mark is not None and self._mark.is_open()

    def is_committed(self) -> bool:
        """Whether the transaction of the last `commit` has been committed."""
        return self._mark is not None and self._mark.is_committed()

    def note(self, event: str, data: dict[str, Any]) -> None:
        """There is no history."""
