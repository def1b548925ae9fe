import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuable.errors import SourceError
from continuable.sources import AsyncSource, Source, pages

Page = tuple[list[int], str | None]


class Api:
    """Hands out pages, and remembers which it was asked for."""

    def __init__(self, content: list[list[int]]) -> None:
        self.content = content
        self.asked: list[str | None] = []

    def fetch(self, token: str | None) -> Page:
        self.asked.append(token)
        index = int(token or 0)
        more = index + 1 < len(self.content)
        return self.content[index], str(index + 1) if more else None

    async def afetch(self, token: str | None) -> Page:
        await asyncio.sleep(0)
        return self.fetch(token)


CONTENT = st.lists(st.lists(st.integers(), max_size=3), min_size=1, max_size=6)


@given(content=CONTENT)
def test_each_page_is_an_item(
    content: list[list[int]], resumes_anywhere: Callable[..., None]
) -> None:
    """Empty ones too, since their cursor is progress."""
    resumes_anywhere(pages(Api(content).fetch), content)


@given(content=CONTENT)
def test_an_async_fetch_makes_an_async_source(
    content: list[list[int]], resumes_anywhere: Callable[..., None]
) -> None:
    """The same pages and the same cursors."""
    api = Api(content)
    source = pages(api.afetch)
    assert isinstance(source, AsyncSource)
    assert not isinstance(source, Source)
    resumes_anywhere(source, content)


def test_after_the_last_page_nothing_is_fetched_again() -> None:
    """The end is another cursor than the beginning, although both have no token."""
    api = Api([[1], [2]])
    *_, (_, last) = pages(api.fetch).items(None)
    assert last == {"next": None}
    api.asked.clear()
    assert list(pages(api.fetch).items(last)) == []
    assert api.asked == []


def test_a_resume_fetches_from_its_token_on() -> None:
    """And a page is fetched only when it is its turn."""
    api = Api([[1], [2], [3]])
    items = pages(api.fetch).items({"next": "1"})
    assert next(items) == ([2], {"next": "2"})
    assert api.asked == ["1"]


def test_items_of_any_kind_become_a_list() -> None:
    """A tuple, a query, a generator."""
    source = pages(lambda token: ((n for n in (1, 2)), None))
    assert list(source.items(None)) == [([1, 2], {"next": None})]


def test_partials_and_objects_are_recognised_as_async() -> None:
    """Any callable of an `async def` is."""

    class Fetch:
        async def __call__(self, token: str | None) -> Page:
            return [], None

    async def fetch(account: int, token: str | None) -> Page:
        return [], None

    assert isinstance(pages(Fetch()), AsyncSource)
    assert isinstance(pages(partial(fetch, 1)), AsyncSource)


def test_a_plain_function_that_gives_a_coroutine_is_an_error() -> None:
    """A lambda around an `async def` does not look asynchronous."""
    api = Api([[1]])
    source: Any = pages(lambda token: api.afetch(token or "0"))
    assert isinstance(source, Source)
    with pytest.raises(SourceError, match="async def"):
        list(source.items(None))


@pytest.mark.parametrize("page", [None, [1, 2], (1, 2, 3), {"items": []}])
def test_a_fetch_that_returns_something_else_is_an_error(page: Any) -> None:
    """The message says what it has to return."""
    with pytest.raises(SourceError, match=r"must return \(items, next_token\)"):
        list(pages(lambda token: page).items(None))


@pytest.mark.parametrize("cursor", [0, "abc", {}, {"token": 1}])
def test_a_cursor_of_another_source_is_an_error(cursor: Any) -> None:
    """A step that iterated something else before a deploy."""
    with pytest.raises(SourceError, match=r"The cursor of pages\("):
        list(pages(Api([[1]]).fetch).items(cursor))


def test_it_is_named_by_its_function() -> None:
    """A partial by what it wraps."""
    assert repr(pages(Api([]).fetch)) == "pages(Api.fetch)"
    assert repr(pages(partial(Api.fetch, Api([])))) == "pages(Api.fetch)"


def test_an_empty_token_is_the_end() -> None:
    """As many APIs give it with the last page."""
    api = {None: ([1], "a"), "a": ([2], "")}
    pairs = list(pages(lambda token: api[token]).items(None))
    assert pairs == [([1], {"next": "a"}), ([2], {"next": None})]


def test_a_page_that_names_itself_as_the_next_does_not_come_for_ever() -> None:
    """The page is not handed out: it was met before."""
    api: dict[Any, Any] = {None: ([1], "a"), "a": ([2], "a")}
    items = pages(lambda token: api[token]).items(None)
    assert next(items) == ([1], {"next": "a"})
    with pytest.raises(SourceError, match=r"fetch\('a'\) gave 'a' as the token.* for ever"):
        next(items)


@pytest.mark.parametrize("items", [{"items": [1]}, "items", b"items"])
def test_a_page_that_is_no_list_is_refused(items: Any) -> None:
    """Its keys or characters would be taken for items."""
    with pytest.raises(SourceError, match="the items of a page must be a list, not a"):
        next(pages(lambda token: (items, None)).items(None))
