"""`Step`: what a step's function is handed to move its cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, overload

from continuable.core.cursor import successor
from continuable.core.iteration import Iteration
from continuable.core.position import Position
from continuable.core.transaction import Transaction
from continuable.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable

    from continuable.connections.connection import AsyncConnection
    from continuable.core.checkpoints import Checkpoints
    from continuable.serialization import Codec
    from continuable.sources import AsyncSource, Source

C = TypeVar("C")
T = TypeVar("T")

_HERE: Any = object()


class Step(Position[C]):
    """The step that is running, and its cursor: where a resume starts.

    Every move of the cursor is a checkpoint: the job may be interrupted there, by an
    `Interrupt`, when its worker stops or a pause is asked for. Four ways to move it:

    - `for item in step.iterate(source)`: past each item, once the body of the loop is done.
    - `step.advance()` past itself, or `step.advance(past=row.id)` past a value.
    - `step.set(cursor)`: to a value of your own, such as the token of the next page.
    - `step.commit(cursor, connection)` or `with step.transaction(connection) as tx`: together with
      your rows, in one transaction, so that no crash does them again.

    The cursor begins with the `start=` of the step. Give `step.total` a number, and progress is
    shown as a percentage.
    """

    __slots__ = ("_checkpoints",)

    def __init__(
        self, checkpoints: Checkpoints, codec: Codec, name: str, cursor: C, **restored: Any
    ) -> None:
        super().__init__(codec, checkpoints.confirm_commit, name, cursor, **restored)
        self._checkpoints = checkpoints

    @property
    def next_cursor(self) -> C:
        """In a loop over `iterate`: the cursor past the item in hand, for `commit`.

        ::

            for rows in step.iterate(batches(csv_rows(path), 100)):
                with step.transaction(connection) as tx:
                    connection.executemany(...)
                    tx.save(step.next_cursor)
        """
        if self._loop is None:
            raise SourceError(
                "step.next_cursor is the cursor past the item of a `for` loop over "
                "step.iterate(...): it is there in the body of that loop"
            )
        cursor: C = self._next_cursor
        return cursor

    def set(self, cursor: C) -> None:
        """Move the cursor to `cursor`, and checkpoint.

        Raises `SerializationError` for a cursor that cannot be kept; the old one stays.
        """
        if type(cursor) is self._settled:
            self._cursor = cursor
        else:
            self._checkpoints.settle(self, cursor)

    def advance(self, *, past: C = _HERE) -> None:
        """Move the cursor past `past`, or past itself, count an item, and checkpoint.

        Raises `UnadvanceableCursorError` for a value that has no natural successor.
        """
        if past is _HERE:
            if self._settled is int:
                self._cursor += 1  # type: ignore[assignment, operator]  # an int
                self._done += 1
            else:
                self._checkpoints.settle(self, successor(self.cursor), items=1)
        elif type(past) is int and self._settled is int:
            self._cursor = past + 1  # type: ignore[assignment, operator]
            self._done += 1
        else:
            self._checkpoints.settle(self, successor(past), items=1)

    def checkpoint(self) -> None:
        """A checkpoint at which the cursor stays where it is."""
        self._checkpoints.check()

    def iterate(self, source: Source[T] | AsyncSource[T] | Iterable[T]) -> Iteration[T]:
        """Iterate `source` from the cursor on, moving it past each item once its body is done.

        `for` and `async for` both work. `source` is one of `continuable.sources`, a list, a
        tuple or a range. An item whose body is left by `break` or an exception is not done.
        Raises `SourceError` for what cannot start again in its middle (a generator), and
        `SourceChangedError` when the data is no longer what the cursor was taken from.
        """
        return Iteration(self, self._checkpoints, source)

    @overload
    def commit(self, cursor: C, connection: AsyncConnection, items: int = 1) -> Awaitable[None]: ...
    @overload
    def commit(self, cursor: C, connection: Any, items: int = 1) -> None: ...
    def commit(self, cursor: C, connection: Any, items: int = 1) -> Any:
        """Write `cursor` inside the transaction that is open on `connection`.

        The cursor and your rows are committed together or not at all, so that nothing is ever
        redone. Counts `items`. Raises `Superseded` when a newer execution has taken over (your
        transaction rolls back), and `CheckpointError` without an open transaction or on a
        database that does not hold the job's progress. Never an ordinary interrupt: the next
        checkpoint does that.

        To be awaited where `connection` is an async one of SQLAlchemy's or psycopg's.
        """
        if hasattr(connection, "__aenter__"):
            from continuable.connections.connection import (
                run_on,  # here, since it takes longer to import
            )

            return run_on(connection, lambda plain: self._commit(cursor, plain, items))
        return self._commit(cursor, connection, items)

    @overload
    def transaction(self, connection: AsyncConnection) -> Transaction[C, Awaitable[None]]: ...
    @overload
    def transaction(self, connection: Any) -> Transaction[C, None]: ...
    def transaction(self, connection: Any) -> Any:
        """Begin a transaction on `connection`, commit it with what `save` was given, checkpoint.

        ::

            with step.transaction(connection) as tx:
                connection.executemany(...)
                tx.save(cursor, items=100)

        With an async connection, of SQLAlchemy's or psycopg's: `async with`, and
        `await tx.save(...)`.
        """
        return Transaction(self.commit, self._checkpoints, connection)

    def _commit(self, cursor: C, connection: Any, items: int) -> None:
        self._checkpoints.commit(self, cursor, connection, items)
        if self._loop is not None and cursor == self._next_cursor:
            self._is_counted = True
