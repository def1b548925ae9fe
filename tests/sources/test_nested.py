from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuable.errors import SourceChangedError, SourceError
from continuable.sources import (
    AsyncSource,
    Source,
    csv_rows,
    lines,
    nested,
    pages,
    sequence,
)
from tests.sources.conftest import read

LISTS = st.lists(st.lists(st.integers(), max_size=3), max_size=4)


@given(lists=LISTS)
def test_pairs_resume_in_the_middle_of_an_outer_item(
    lists: list[list[int]], resumes_anywhere: Callable[..., None]
) -> None:
    """Empty inner sources are passed over."""
    expected = [(inner, number) for inner in lists for number in inner]
    resumes_anywhere(nested(lists, sequence), expected)
    resumes_anywhere(nested(lists, lambda inner: inner), expected)


@given(deep=st.lists(LISTS, max_size=3))
def test_nesting_goes_as_deep_as_one_likes(
    deep: list[list[list[int]]], resumes_anywhere: Callable[..., None]
) -> None:
    """A nested source inside another: three levels, one cursor."""
    expected = [
        (outer, (middle, number)) for outer in deep for middle in outer for number in middle
    ]
    resumes_anywhere(nested(deep, lambda outer: nested(outer, sequence)), expected)


def test_a_nested_source_can_be_the_outer_one(resumes_anywhere: Callable[..., None]) -> None:
    """Then the pairs nest to the left."""
    pairs = nested(range(2), lambda n: range(n, n + 2))
    expected = [((n, m), k) for n in range(2) for m in range(n, n + 2) for k in range(m)]
    resumes_anywhere(nested(pairs, lambda pair: range(pair[1])), expected)


def test_the_cursor_lies_before_the_outer_item() -> None:
    """So that a resume finds the outer item again."""
    source = nested([["a"], ["b"]], lambda letters: [1, 2])
    assert list(source.items(None)) == [
        ((["a"], 1), [None, 1]),
        ((["a"], 2), [None, 2]),
        ((["b"], 1), [1, 1]),
        ((["b"], 2), [1, 2]),
    ]


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize(
    ("later", "error"),
    [
        (["b", "c", "d"], "another one than it was, 'c'"),
        (["a", "c", "b"], "another one than it was, 'c'"),
        (["a"], "is gone"),
        ([("a", 1), ("b", 2)], "another one than it was"),
    ],
)
def test_another_outer_item_in_the_place_of_the_one_before_is_noticed(
    later: list[Any], error: str, is_async: bool
) -> None:
    """With one less before it, or in another order, the rest would be skipped in silence."""

    async def ainner(_: Any) -> list[int]:
        return [1, 2]

    inner: Any = ainner if is_async else lambda _: [1, 2]
    cursor = read(nested(["a", "b", "c"], inner), None)[2][1]
    assert read(nested(["a", "b", "c"], inner), cursor)[0][0] == ("b", 2)
    with pytest.raises(
        SourceChangedError, match=rf"the outer item that the cursor lies in.*{error}"
    ):
        read(nested(later, inner), cursor)


def test_the_item_of_a_nested_source_in_another_is_looked_at_too() -> None:
    """At each level."""

    def inner(regions: list[str]) -> Any:
        return lambda country: nested(regions, lambda region: [1, 2])

    cursor = read(nested(["x", "y"], inner(["a", "b"])), None)[2][1]
    with pytest.raises(SourceChangedError, match="another one than it was, 'c'"):
        read(nested(["x", "y"], inner(["a", "c"])), cursor)
    with pytest.raises(SourceChangedError, match="another one than it was, 'y'"):
        read(nested(["y", "x"], inner(["a", "b"])), cursor)


def test_a_resume_does_not_open_what_is_done() -> None:
    """Inner sources of earlier outer items are not asked for again."""
    asked = []

    def inner(letter: str) -> list[int]:
        asked.append(letter)
        return [1, 2]

    rest = list(nested(["a", "b", "c"], inner).items([1, 1]))
    assert [pair for pair, _ in rest] == [("b", 2), ("c", 1), ("c", 2)]
    assert asked == ["b", "c"]


def test_rows_of_several_files(
    write_file: Callable[[bytes], Path], resumes_anywhere: Callable[..., None]
) -> None:
    """The cursor keeps the fingerprint of the file it lies in."""
    first, second = write_file(b"n\n1\n2\n"), write_file(b"n\n3\n")
    source = nested([first, second], csv_rows)
    expected = [(first, {"n": "1"}), (first, {"n": "2"}), (second, {"n": "3"})]
    resumes_anywhere(source, expected)
    _, cursor = next(source.items(None))
    assert cursor == [None, 4, csv_rows(first).fingerprint()]


def test_a_changed_inner_file_is_noticed(write_file: Callable[[bytes], Path]) -> None:
    """But only while the cursor lies in it."""
    path = write_file(b"1\n2\n")
    source = nested([path, path], lines)
    _, cursor = next(source.items(None))
    path.write_bytes(b"3\n4\n")
    with pytest.raises(SourceChangedError, match=rf"{path.name}.*same size .* other content"):
        list(source.items(cursor))


def test_the_fingerprint_is_that_of_the_outer_source(write_file: Callable[[bytes], Path]) -> None:
    """The files named in a list of files, say."""
    path = write_file(b"some.csv\n")
    assert nested(lines(path), csv_rows).fingerprint() == lines(path).fingerprint()


async def fetch(token: int | None) -> tuple[list[str], int | None]:
    """Two pages of two letters."""
    return (["c", "d"], None) if token else (["a", "b"], 1)


def test_an_async_outer_source(resumes_anywhere: Callable[..., None]) -> None:
    """The single items of the pages of an API."""
    source = nested(pages(fetch), sequence)
    assert isinstance(source, AsyncSource)
    expected = [(page, letter) for page in (["a", "b"], ["c", "d"]) for letter in page]
    resumes_anywhere(source, expected)


def test_an_async_inner_function(resumes_anywhere: Callable[..., None]) -> None:
    """A plain list of accounts, and the pages of each; or any plain source."""

    async def account_pages(account: int) -> AsyncSource[list[str]]:
        return pages(fetch)

    async def numbers(account: int) -> range:
        return range(account)

    expected = [(account, page) for account in (1, 2) for page in (["a", "b"], ["c", "d"])]
    resumes_anywhere(nested([1, 2], account_pages), expected)
    resumes_anywhere(nested([1, 2], numbers), [(1, 0), (2, 0), (2, 1)])


def test_an_async_source_in_a_plain_one_says_what_to_do() -> None:
    """Whether `for` or `async for` it is has to show before anything is read."""
    inner: Any = lambda account: pages(fetch)  # noqa: E731 - a lambda is the case at hand
    source: Any = nested([1], inner)
    assert isinstance(source, Source)
    with pytest.raises(SourceError, match="async def"):
        list(source.items(None))


@pytest.mark.parametrize("cursor", [5, "ab", [1], [1, 2, 3, 4], {"next": 1}])
def test_a_cursor_of_another_source_is_an_error(cursor: Any) -> None:
    """A step that iterated something else before a deploy."""
    with pytest.raises(SourceError, match=r"\[outer cursor, inner cursor\], not "):
        list(nested([1], lambda n: [n]).items(cursor))


def test_what_cannot_resume_cannot_be_nested() -> None:
    """Neither outside nor inside."""
    generator: Any = (n for n in [1])
    with pytest.raises(SourceError, match="generator"):
        nested(generator, lambda n: [n])
    with pytest.raises(SourceError, match="generator"):
        list(nested([1], lambda n: generator).items(None))


def test_it_is_named_by_what_the_user_wrote() -> None:
    """With the outer source and the inner function."""
    assert repr(nested(lines("a.txt"), csv_rows)) == "nested(lines('a.txt'), csv_rows)"
