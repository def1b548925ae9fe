"""`keyset`: the rows of a table, page by page in the order of a key."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar, overload

from continuable.errors import SourceError
from continuable.model.callables import function_name, is_async
from continuable.sources.protocol import AsyncSource, Source

T = TypeVar("T")


@overload
def keyset(
    fetch: Callable[[Any, int], Awaitable[Iterable[T]]],
    *,
    key: Callable[[T], Any],
    size: int = ...,
    total: int | None = ...,
    fingerprint: Any = ...,
) -> AsyncSource[T]: ...
@overload
def keyset(
    fetch: Callable[[Any, int], Iterable[T]],
    *,
    key: Callable[[T], Any],
    size: int = ...,
    total: int | None = ...,
    fingerprint: Any = ...,
) -> Source[T]: ...
def keyset(
    fetch: Callable[[Any, int], Any],
    *,
    key: Callable[[Any], Any],
    size: int = 100,
    total: int | None = None,
    fingerprint: Any = None,
) -> Any:
    """The rows that `fetch(after, limit)` returns, page by page in the order of their keys.

    `fetch` returns the first `limit` rows whose key lies behind `after`, in the order of the key;
    `after` is `None` for the first page. An empty page is the end. Each page is a query that has
    ended before its first row is handed out, so that commits, pauses of hours and lost connections
    between two pages do not matter. With an `async def fetch` this is an `AsyncSource`.

    The cursor is the key of the row before it. Each row that is there throughout is met once,
    whatever is inserted, deleted or changed meanwhile, as long as no key changes.

    Args:
        fetch: Asks the database for a page.
        key: The key of a row, which is unique, not null, and can be kept: a number, a text, a
            UUID, a date. For a key of several columns a tuple of them; one that is not unique
            alone, with the primary key as the last.
        size: Rows that are asked for at once.
        total: The number of all rows, for the bar.
        fingerprint: What tells that another query was asked before, such as its text: plain data.

    `SourceError`: a key is null or a floating number, comes twice, or `fetch` returned a row with
    the very key that it was asked to begin behind. `ValueError`: a `size` below 1.
    """
    if size < 1:
        raise ValueError(f"A page has at least 1 row, not {size}")
    kind = AsyncKeyset if is_async(fetch) else Keyset
    return kind(fetch, key, size, total, fingerprint)


class _Paging(Generic[T]):
    """Keys and checks of pages, for `Keyset` and `AsyncKeyset`."""

    def __init__(
        self,
        fetch: Callable[[Any, int], Any],
        key: Callable[[T], Any],
        size: int,
        total: int | None,
        fingerprint: Any,
    ) -> None:
        self._fetch = fetch
        self._key = key
        self._size = size
        self._total = total
        self._fingerprint = fingerprint

    def __repr__(self) -> str:
        return f"keyset({function_name(self._fetch)})"

    def total(self) -> int | None:
        """The number of all rows, where it was given."""
        return self._total

    def fingerprint(self) -> Any:
        """What the caller gave."""
        return self._fingerprint

    def _with_keys(self, after: Any, rows: Any) -> list[tuple[T, Any]]:
        """The rows of a page with their keys, which must all lie behind `after`."""
        if isinstance(rows, str | bytes | Mapping) or not isinstance(rows, Iterable):
            raise SourceError(
                f"{self!r}: fetch must return a list of rows, not {type(rows).__name__}"
            )
        page = [(row, self._key(row)) for row in rows]
        before = after
        for _, key in page:
            self._check(key)
            if key in (before, after):
                raise self._repeated(key, after)
            before = key
        return page

    def _check(self, key: Any) -> None:
        for part in key if isinstance(key, tuple | list) else (key,):
            if part is None:
                raise SourceError(
                    f"{self!r}: the key {key!r} is null, or a part of it is. No row lies behind "
                    f"null: leave such rows out of the query, or take another key"
                )
            if isinstance(part, float):
                raise SourceError(
                    f"{self!r}: the key {key!r} is a floating number, or a part of it is, and the "
                    f"database may compare it as another one: take another key"
                )

    def _repeated(self, key: Any, after: Any) -> SourceError:
        if key != after:
            return SourceError(
                f"{self!r}: two rows in a row have the key {key!r}, and a resume between them "
                f"would skip the second. A key must be unique: add the primary key to it, as in "
                f"key=lambda row: (row.created, row.id)"
            )
        return SourceError(
            f"{self!r}: fetch({after!r}, {self._size}) returned a row with that very key, so that "
            f"the same rows would come for ever. Ask for keys > {after!r}, in their order; if that "
            f"is so, the database compares the value otherwise than it gives it back"
        )


class Keyset(_Paging[T]):
    """The rows of a plain `fetch`."""

    def items(self, cursor: Any) -> Iterator[tuple[T, Any]]:
        """Each row behind the key `cursor`, with its key."""
        while page := self._with_keys(cursor, self._fetch(cursor, self._size)):
            yield from page
            cursor = page[-1][1]


class AsyncKeyset(_Paging[T]):
    """The rows of an `async def fetch`."""

    async def aitems(self, cursor: Any) -> AsyncIterator[tuple[T, Any]]:
        """Each row behind the key `cursor`, with its key."""
        while page := self._with_keys(cursor, await self._fetch(cursor, self._size)):
            for pair in page:
                yield pair
            cursor = page[-1][1]
