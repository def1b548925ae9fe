"""`Position`: where a step is, as those see it that keep, move or roll back its cursor."""

from __future__ import annotations

from collections.abc import Callable
from operator import index
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from continuable.serialization import Codec

C = TypeVar("C")


class Position(Generic[C]):
    """The cursor of a step and what is counted with it. `Step` adds what moves them."""

    __slots__ = (
        "__weakref__",
        "_before_commit",
        "_codec",
        "_confirm_commit",
        "_cursor",
        "_done",
        "_is_counted",
        "_loop",
        "_next_cursor",
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
        codec: Codec,
        confirm_commit: Callable[[], None],
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
        self._codec = codec
        self._confirm_commit = confirm_commit
        self._cursor = cursor
        self._done = done
        self._total = total
        # The fingerprint of what `iterate` goes over.
        self._source = source
        # The loop that is under way, the cursor past its item, and whether that is counted.
        self._loop: Any = None
        self._next_cursor: Any = None
        self._is_counted = False
        # Cursor and count before a commit that the user's transaction may still roll back.
        self._before_commit: tuple[C, int] | None = None
        self._origin = self.plain_cursor(cursor)
        # The type of a cursor that needs no look at the next move, while no flag is set;
        # None makes the next move check.
        self._settled: type | None = None

    @property
    def cursor(self) -> C:
        """Where a resume of this step starts."""
        if self._before_commit is not None:
            self._confirm_commit()
        return self._cursor

    @property
    def advanced(self) -> bool:
        """Whether the cursor has moved in this execution."""
        return bool(self.kept_cursor() != self._origin)

    @property
    def done(self) -> int:
        """Items done so far, earlier executions included."""
        if self._before_commit is not None:
            self._confirm_commit()
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

    def plain_cursor(self, cursor: Any) -> Any:
        """The plain form of a cursor; `SerializationError` if it has none."""
        return self._codec.dump(cursor, f"The cursor of step {self.name!r}")

    def kept_cursor(self) -> Any:
        """The cursor to keep, in its plain form: the last one whose commit is confirmed."""
        cursor = self._cursor if self._before_commit is None else self._before_commit[0]
        return self.plain_cursor(cursor)

    def kept_done(self) -> int:
        """The count that goes with `kept_cursor`."""
        return self._done if self._before_commit is None else self._before_commit[1]

    def __repr__(self) -> str:
        return f"<Step {self.name!r} at {self._cursor!r}>"
