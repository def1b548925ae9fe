import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuable.errors import SourceError
from continuable.sources import AsyncSource, batches, csv_rows, jsonl, pages


@given(items=st.lists(st.integers()), size=st.integers(1, 7))
def test_batches_of_any_list(
    items: list[int], size: int, resumes_anywhere: Callable[..., None]
) -> None:
    """All full but the last, none empty, and as many as the total says."""
    expected = [items[start : start + size] for start in range(0, len(items), size)]
    source = batches(items, size)
    resumes_anywhere(source, expected)
    assert source.total() == math.ceil(len(items) / size)


def test_batches_of_a_file_have_its_cursors(
    write_file: Callable[[bytes], Path], resumes_anywhere: Callable[..., None]
) -> None:
    """The offset behind the last row of the batch; the fingerprint is the file's."""
    path = write_file(b"n\n1\n2\n3\n")
    source = batches(csv_rows(path), 2)
    resumes_anywhere(source, [[{"n": "1"}, {"n": "2"}], [{"n": "3"}]])
    assert [cursor for _, cursor in source.items(None)] == [6, 8]
    assert source.fingerprint() == csv_rows(path).fingerprint()


def test_the_size_may_change_between_two_executions() -> None:
    """The cursor counts items, not batches."""
    _, cursor = next(batches(range(10), 4).items(None))
    assert [batch for batch, _ in batches(range(10), 3).items(cursor)] == [[4, 5, 6], [7, 8, 9]]


def test_no_item_is_read_before_its_batch(write_file: Callable[[bytes], Path]) -> None:
    """A bad line fails the batch it is in, not the one before."""
    items = batches(jsonl(write_file(b"1\n2\nbad\n")), 2).items(None)
    assert next(items) == ([1, 2], 4)
    with pytest.raises(SourceError):
        next(items)


def test_batches_of_an_async_source_are_async(resumes_anywhere: Callable[..., None]) -> None:
    """Here three pages in two batches."""

    async def fetch(token: int | None) -> tuple[list[str], int | None]:
        page = token or 1
        return [f"page {page}"], page + 1 if page < 3 else None

    source = batches(pages(fetch), 2)
    assert isinstance(source, AsyncSource)
    resumes_anywhere(source, [[["page 1"], ["page 2"]], [["page 3"]]])
    assert source.total() is None


@pytest.mark.parametrize("size", [0, -1])
def test_a_batch_has_at_least_one_item(size: int) -> None:
    """A size below 1 would never end."""
    with pytest.raises(ValueError, match="at least 1"):
        batches([1], size)


@pytest.mark.parametrize("source", [iter([1]), "abc", {1: 2}])
def test_what_cannot_resume_cannot_be_batched(source: Any) -> None:
    """The same rules as for `step.iterate`."""
    with pytest.raises(SourceError):
        batches(source, 2)


def test_it_is_named_by_what_the_user_wrote() -> None:
    """With the source inside."""
    assert repr(batches(csv_rows("a.csv"), 100)) == "batches(csv_rows('a.csv'), 100)"
