"""`pages`: the data of an API that returns pages, each with a token for the next."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar, overload

from continuable.errors import SourceError
from continuable.model.callables import function_name, is_async
from continuable.sources.protocol import AsyncSource, Source

T = TypeVar("T")
Page = tuple[Iterable[T], Any]


@overload
def pages(fetch: Callable[[Any], Awaitable[Page[T]]]) -> AsyncSource[list[T]]: ...
@overload
def pages(fetch: Callable[[Any], Page[T]]) -> Source[list[T]]: ...
def pages(fetch: Callable[[Any], Any]) -> Any:
    """The pages that `fetch(token) -> (items, next_token)` returns, each a list of its items.

    `fetch` gets `None` for the first page, and returns a next token of `None`, or an empty text,
    with the last one.
    With an `async def fetch` this is an `AsyncSource`. To iterate single items:
    `nested(pages(fetch), sequence)`.

    The cursor is `{"next": token}`: the token must be something that can be serialised, and the
    API must still know it when the job resumes. After the last page it is `{"next": None}`.

    `SourceError`: `fetch` returned something else, or the very token that it was asked with; or
    the cursor is not one of `pages`.
    """
    return AsyncPages(fetch) if is_async(fetch) else Pages(fetch)


class _Paging:
    """Tokens and checks of pages, for `Pages` and `AsyncPages`."""

    def __init__(self, fetch: Callable[[Any], Any]) -> None:
        self._fetch = fetch

    def __repr__(self) -> str:
        return f"pages({function_name(self._fetch)})"

    def total(self) -> None:
        """`None`: the number of pages is known only after the last."""
        return

    def fingerprint(self) -> None:
        """`None`: the answers of an API may change between two calls."""
        return

    def _next_fetch(self, cursor: Any) -> tuple[Any, bool]:
        """The token of the next page, and True if there is a next page."""
        if cursor is None:
            return None, True
        if not isinstance(cursor, dict) or cursor.keys() != {"next"}:
            raise SourceError(f'The cursor of {self!r} is {{"next": token}}, not {cursor!r}')
        return cursor["next"], cursor["next"] is not None

    def _unpack(self, asked: Any, page: Any) -> tuple[list[Any], Any]:
        if inspect.iscoroutine(page):
            page.close()
            raise SourceError(f"{self!r}: fetch gave a coroutine. Make fetch an `async def`")
        match page:
            case tuple([str() | bytes() | Mapping() as items, _]):
                raise SourceError(
                    f"{self!r}: the items of a page must be a list, not a {type(items).__name__}. "
                    f"Of an answer such as {{'items': [...]}}, return its list"
                )
            case tuple([items, next_token]):  # no list: that would be items without a token
                token = None if next_token == "" else next_token
                if token is not None and token == asked:
                    raise SourceError(
                        f"{self!r}: fetch({asked!r}) gave {token!r} as the token of the next page, "
                        f"so that the same page would come for ever"
                    )
                return list(items), token
        raise SourceError(
            f"{self!r}: fetch must return (items, next_token), not {type(page).__name__}"
        )


class Pages(_Paging, Generic[T]):
    """The pages of a plain `fetch`."""

    def items(self, cursor: Any) -> Iterator[tuple[list[T], dict[str, Any]]]:
        """Each page from `cursor` on, with the token of the next."""
        token, more = self._next_fetch(cursor)
        while more:
            page, token = self._unpack(token, self._fetch(token))
            yield page, {"next": token}
            more = token is not None


class AsyncPages(_Paging, Generic[T]):
    """The pages of an `async def fetch`."""

    async def aitems(self, cursor: Any) -> AsyncIterator[tuple[list[T], dict[str, Any]]]:
        """Each page from `cursor` on, with the token of the next."""
        token, more = self._next_fetch(cursor)
        while more:
            page, token = self._unpack(token, await self._fetch(token))
            yield page, {"next": token}
            more = token is not None
