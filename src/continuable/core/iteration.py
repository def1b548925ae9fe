"""`Step.iterate`: a loop over a source whose every turn ends in a checkpoint."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import aclosing, closing, nullcontext
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from continuable.errors import SourceError

if TYPE_CHECKING:
    from continuable.core.checkpoints import Checkpoints
    from continuable.core.position import Position
    from continuable.sources import AsyncSource, Source

T = TypeVar("T")


class Iteration(Generic[T]):
    """What `step.iterate(source)` gives: to be looped over once, by `for` or `async for`."""

    def __init__(
        self,
        step: Position[Any],
        checkpoints: Checkpoints,
        source: Source[T] | AsyncSource[T] | Iterable[T],
    ) -> None:
        from continuable.sources.coercion import as_source

        self._step = step
        self._checkpoints = checkpoints
        self._source: Any = as_source(source)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[T]:
        if not hasattr(self._source, "items"):
            raise SourceError(f"{self._source!r} is asynchronous: loop over it with `async for`")
        self._recognise()
        step = self._step
        step._loop, step._is_counted = self, False
        before = step.cursor
        with _closing(self._source.items(before)) as items:
            try:
                for item, next_cursor in items:
                    if next_cursor is None or next_cursor == before:
                        raise self._stuck(next_cursor)
                    step._next_cursor = before = next_cursor
                    yield item
                    self._pass(next_cursor)
            finally:
                self._leave()

    async def __aiter__(self) -> AsyncIterator[T]:
        if not hasattr(self._source, "aitems"):
            for item in self:
                yield item
            return
        self._recognise()
        step = self._step
        step._loop, step._is_counted = self, False
        before = step.cursor
        async with _aclosing(self._source.aitems(before)) as items:
            try:
                async for item, next_cursor in items:
                    if next_cursor is None or next_cursor == before:
                        raise self._stuck(next_cursor)
                    step._next_cursor = before = next_cursor
                    yield item
                    self._pass(next_cursor)
            finally:
                self._leave()

    def _pass(self, cursor: Any) -> None:
        """Move the step to `cursor`, count the item before it, and checkpoint."""
        step = self._step
        if step._is_counted:
            step._is_counted = False
            if step.cursor == cursor:  # no rollback has taken it back
                self._checkpoints.check()
                return
        if type(cursor) is step._settled:
            step._cursor = cursor
            step._done += 1
        else:
            self._checkpoints.settle(step, cursor, items=1)

    def _stuck(self, cursor: Any) -> SourceError:
        if cursor is None:
            return SourceError(
                f"{self._source!r} gave None as the cursor behind an item, which is the cursor of "
                f"the beginning: a resume would meet every item again. A key that items are found "
                f"by must not be null"
            )
        return SourceError(
            f"{self._source!r} gave two items the same cursor, {cursor!r}: a resume between them "
            f"would skip the second. A key that items are found by must be unique: add the primary "
            f"key to it, as in (created, id)"
        )

    def _leave(self) -> None:
        # An `async for` left by `break` may learn of it during the next loop.
        if self._step._loop is self:
            self._step._loop = None

    def _recognise(self) -> None:
        """See that the source is still what the cursor was taken from."""
        from continuable.sources.fingerprint import check_fingerprint

        step, name = self._step, repr(self._source)
        what = f"The fingerprint of {name}"
        fingerprint = step._codec.dump(self._source.fingerprint(), what)
        check_fingerprint(name, step._source, fingerprint)
        step._source = fingerprint
        total = self._source.total()
        if total is not None:  # else the job may know
            step.total = total


# A source gives an iterator, which need not be a generator.
def _closing(items: Any) -> Any:
    return closing(items) if hasattr(items, "close") else nullcontext(items)


def _aclosing(items: Any) -> Any:
    return aclosing(items) if hasattr(items, "aclose") else nullcontext(items)
