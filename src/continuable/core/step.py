"""`Step`: what a step's function is handed to move its cursor."""

from __future__ import annotations

from operator import index
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from continuable.core.cursor import is_scalar, successor
from continuable.core.iteration import Iteration
from continuable.core.transaction import Transaction
from continuable.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable

    from continuable.connections.connection import AsyncConnection
    from continuable.core.checkpoints import Checkpoints
    from continuable.sources import AsyncSource, Source

C = TypeVar("C")
T = TypeVar("T")

_HERE: Any = object()


class Step(Generic[C]):
    """The step that is running, and its cursor: where a resume starts.

    Every move of the cursor is a checkpoint: the job may be interrupted there, by an
    `Interrupt`, when its worker stops or somebody asks for a pause.
    """

    __slots__ = (
        "__weakref__",
        "_before_commit",
        "_behind",
        "_checkpoints",
        "_cursor",
        "_done",
        "_is_counted",
        "_loop",
        "_origin",
        "_settled",
        "_source",
        "_total",
        "name",
        "resumed",
    )

    name: str
    """The name of the step."""
    resumed: bool
    """Whether the cursor comes from an earlier execution."""

    def __init__(
        self,
        checkpoints: Checkpoints,
        name: str,
        cursor: C,
        *,
        resumed: bool = False,
        done: int = 0,
        total: int | None = None,
        source: Any = None,
    ) -> None:
        self.name = name
        self.resumed = resumed
        self._checkpoints = checkpoints
        self._cursor = cursor
        self._done = done
        self._total = total
        self._source = source
        # The loop that is under way, the cursor behind its item, and whether that is counted.
        self._loop: Iteration[Any] | None = None
        self._behind: Any = None
        self._is_counted = False
        # What is kept as long as it is not known whether the user's transaction has committed.
        self._before_commit: tuple[C, int] | None = None
        self._origin = checkpoints.plain_cursor(name, cursor)
        # The type of a cursor that needs no second look while nobody wants anything of the job;
        # None makes the next move attend.
        self._settled: type | None = None

    @property
    def cursor(self) -> C:
        """Where a resume of this step starts."""
        if self._before_commit is not None:
            self._checkpoints.confirm_commit()
        return self._cursor

    @property
    def behind(self) -> C:
        """In a loop over `iterate`: the cursor behind the item in hand, for `commit`.

        ::

            for rows in step.iterate(batches(csv_rows(path), 100)):
                with step.transaction(connection) as tx:
                    connection.executemany(...)
                    tx.save(step.behind)
        """
        if self._loop is None:
            raise SourceError(
                "step.behind is the cursor behind the item of a `for` loop over "
                "step.iterate(...): it is there in the body of that loop"
            )
        behind: C = self._behind
        return behind

    @property
    def advanced(self) -> bool:
        """Whether the cursor has moved in this execution."""
        return bool(self._kept_cursor() != self._origin)

    @property
    def done(self) -> int:
        """Items done so far, earlier executions included."""
        if self._before_commit is not None:
            self._checkpoints.confirm_commit()
        return self._done

    @done.setter
    def done(self, items: int) -> None:
        self._done = index(items)  # of a numpy integer, too; TypeError for what cannot be kept

    @property
    def total(self) -> int | None:
        """All items there are, where that is known: turns progress into a percentage."""
        return self._total

    @total.setter
    def total(self, items: int | None) -> None:
        self._total = None if items is None else index(items)

    def set(self, cursor: C) -> None:
        """Move the cursor to `cursor`, and checkpoint.

        Raises `SerializationError` for a cursor that cannot be kept; the old one stays.
        """
        if type(cursor) is self._settled:
            self._cursor = cursor
        else:
            self._settle(cursor)

    def advance(self, *, past: C = _HERE) -> None:
        """Move the cursor behind `past`, or behind itself, count an item, and checkpoint.

        Raises `UnadvanceableCursorError` for a value that has no natural successor.
        """
        if past is _HERE:
            if self._settled is int:
                self._cursor += 1  # type: ignore[assignment, operator]  # an int
                self._done += 1
            else:
                self._settle(successor(self.cursor), items=1)
        elif type(past) is int and self._settled is int:
            self._cursor = past + 1  # type: ignore[assignment, operator]
            self._done += 1
        else:
            self._settle(successor(past), items=1)

    def checkpoint(self) -> None:
        """Be interrupted here, if somebody wants that; the cursor stays."""
        self._checkpoints.reach()

    def iterate(self, source: Source[T] | AsyncSource[T] | Iterable[T]) -> Iteration[T]:
        """Iterate `source` from the cursor on, moving it behind each item once its body is done.

        `for` and `async for` both work. `source` is one of `continuable.sources`, a list, a
        tuple or a range. An item whose body is left by `break` or an exception is not done.
        Raises `SourceError` for what cannot start again in its middle (a generator), and
        `SourceChangedError` when the data is no longer what the cursor was taken from.
        """
        return Iteration(self, source)

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
        return Transaction(self, self._checkpoints, connection)

    def __repr__(self) -> str:
        return f"<Step {self.name!r} at {self._cursor!r}>"

    def _commit(self, cursor: C, connection: Any, items: int) -> None:
        self._checkpoints.commit(self, cursor, connection, items)
        if self._loop is not None and cursor == self._behind:
            self._is_counted = True

    def _pass(self, behind: C) -> None:
        """Move the cursor to `behind`, count the item before it, and checkpoint."""
        if self._is_counted:
            self._is_counted = False
            if self.cursor == behind:  # no rollback has taken it back
                self._checkpoints.reach()
                return
        if type(behind) is self._settled:
            self._cursor = behind
            self._done += 1
        else:
            self._settle(behind, items=1)

    def _leave(self, loop: Iteration[Any]) -> None:
        if self._loop is loop:  # an `async for` left by `break` may learn of it during the next one
            self._loop = None

    def _settle(self, cursor: C, items: int = 0) -> None:
        """Take a cursor that needs a look, or comes while somebody wants something."""
        kind, checkpoints = type(cursor), self._checkpoints
        is_settled = is_scalar(kind)
        if not is_settled:
            checkpoints.plain_cursor(self.name, cursor)
        checkpoints.forbid_open_transaction("A checkpoint")
        self._cursor = cursor
        self._done += items
        # Only a change of type needs a look from now on. Before the flag is read: see Attention.
        self._settled = kind if is_settled else None
        checkpoints.reach()

    def _kept_cursor(self) -> Any:
        """The cursor to keep, in its plain form: the last one that is sure."""
        cursor = self._cursor if self._before_commit is None else self._before_commit[0]
        return self._checkpoints.plain_cursor(self.name, cursor)

    def _kept_done(self) -> int:
        return self._done if self._before_commit is None else self._before_commit[1]
