"""`nested`: a source in each item of another, such as rows in files, or pages of accounts."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from reprlib import repr as short_repr
from typing import Any, Generic, TypeVar, overload

from continuable.errors import SourceChangedError, SourceError
from continuable.model.callables import function_name, is_async
from continuable.sources.coercion import as_source
from continuable.sources.fingerprint import check_fingerprint, item_fingerprint
from continuable.sources.protocol import AsyncSource, Source

T = TypeVar("T")
U = TypeVar("U")
Plain = Source[T] | Sequence[T]
Either = Source[T] | Sequence[T] | AsyncSource[T]


@overload
def nested(
    outer: AsyncSource[T], inner: Callable[[T], Awaitable[Either[U]]]
) -> AsyncSource[tuple[T, U]]: ...
@overload
def nested(outer: AsyncSource[T], inner: Callable[[T], Either[U]]) -> AsyncSource[tuple[T, U]]: ...
@overload
def nested(
    outer: Plain[T], inner: Callable[[T], Awaitable[Either[U]]]
) -> AsyncSource[tuple[T, U]]: ...
@overload
def nested(outer: Plain[T], inner: Callable[[T], Plain[U]]) -> Source[tuple[T, U]]: ...
def nested(outer: Any, inner: Callable[[Any], Any]) -> Any:
    """Pairs `(outer_item, inner_item)` of each item in `outer` with each in `inner(outer_item)`.

    Both may be lists, tuples or ranges, and `inner` may return a `nested` again. The result is an
    `AsyncSource` if `outer` is one or `inner` is an `async def`, which may return either kind.

    The cursor is `[cursor before the outer item, cursor in the inner source]`, so that a resume
    goes on in the middle of an outer item. A third element tells that item from others: the
    fingerprint of its inner source, where that has one, or a digest of the item, where that is
    a text, a number or a tuple of those. Another item in its place, none, or a file that changed
    is a `SourceChangedError`.
    """
    outer = as_source(outer)
    if isinstance(outer, Source) and not is_async(inner):
        return Nested(outer, inner)
    return AsyncNested(outer, inner)


class _Nesting:
    """Total, fingerprint and cursors, for `Nested` and `AsyncNested`."""

    def __init__(self, outer: Any, inner: Callable[[Any], Any]) -> None:
        self._outer = outer
        self._inner = inner

    def __repr__(self) -> str:
        return f"nested({self._outer!r}, {function_name(self._inner)})"

    def total(self) -> None:
        """`None`: the number of pairs is known only after the last inner source."""
        return

    def fingerprint(self) -> Any:
        """The fingerprint of the outer source; the cursor keeps that of the inner one."""
        return self._outer.fingerprint()

    def _recognised(self, outer_item: Any, source: Any, then: Any) -> list[Any]:
        """What tells the outer item from others: a list with one element, or an empty one.

        Raises `SourceChangedError` if it is another one than `then`.
        """
        now = source.fingerprint()
        if now is not None:
            check_fingerprint(repr(source), then, now)
            return [now]
        now = item_fingerprint(outer_item)
        if None not in (then, now) and then != now:
            raise self._changed(f"is another one than it was, {short_repr(outer_item)}")
        return [] if now is None else [now]

    def _changed(self, what: str) -> SourceChangedError:
        return SourceChangedError(
            f"{self!r}: the outer item that the cursor lies in {what}, so that a resume would "
            f"skip items. Put the outer items back as they were and retry, or restart the job "
            f"from the beginning."
        )

    def _split(self, cursor: Any) -> tuple[Any, Any, Any]:
        """The cursor before the outer item, that in the inner source, and its fingerprint."""
        if cursor is None:
            return None, None, None
        if not isinstance(cursor, list | tuple) or len(cursor) not in (2, 3):
            raise SourceError(
                f"The cursor of {self!r} is [outer cursor, inner cursor], not {cursor!r}"
            )
        before, within, *kept = cursor
        return before, within, kept[0] if kept else None


class Nested(_Nesting, Generic[T, U]):
    """The pairs of two sources for `for`."""

    def items(self, cursor: Any) -> Iterator[tuple[tuple[T, U], list[Any]]]:
        """Each pair from `cursor` on, with the cursor behind it."""
        before, within, then = self._split(cursor)
        is_found = cursor is None
        for outer_item, after in self._outer.items(before):
            source, is_found = self._plain_source(outer_item), True
            kept = self._recognised(outer_item, source, then)
            for item, behind in source.items(within):
                yield (outer_item, item), [before, behind, *kept]
            before, within, then = after, None, None
        if not is_found:
            raise self._changed("is gone")

    def _plain_source(self, outer_item: T) -> Source[U]:
        source: Source[U] | AsyncSource[U] = as_source(self._inner(outer_item))
        if isinstance(source, Source):
            return source
        raise SourceError(
            f"{self!r} is iterated with a plain `for`, its inner {source!r} needs `async for`: "
            f"make the function that gives it an `async def`"
        )


class AsyncNested(_Nesting, Generic[T, U]):
    """The pairs of two sources for `async for`, each of either kind."""

    async def aitems(self, cursor: Any) -> AsyncIterator[tuple[tuple[T, U], list[Any]]]:
        """Each pair from `cursor` on, with the cursor behind it."""
        before, within, then = self._split(cursor)
        is_found = cursor is None
        async for outer_item, after in _async_items(self._outer, before):
            source, is_found = self._inner(outer_item), True
            source = as_source(await source if inspect.isawaitable(source) else source)
            kept = self._recognised(outer_item, source, then)
            async for item, behind in _async_items(source, within):
                yield (outer_item, item), [before, behind, *kept]
            before, within, then = after, None, None
        if not is_found:
            raise self._changed("is gone")


async def _async_items(
    source: Source[T] | AsyncSource[T], cursor: Any
) -> AsyncIterator[tuple[T, Any]]:
    if isinstance(source, AsyncSource):
        async for pair in source.aitems(cursor):
            yield pair
    else:
        for pair in source.items(cursor):
            yield pair
