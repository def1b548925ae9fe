from collections import UserList
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuable.errors import SourceChangedError, SourceError
from continuable.sources import sequence


@given(items=st.lists(st.integers()), kind=st.sampled_from([list, tuple, UserList]))
def test_any_items_resume_at_any_index(
    items: list[int], kind: Callable[..., Sequence[int]], resumes_anywhere: Callable[..., None]
) -> None:
    """The index of the next item is the cursor, whatever the kind of sequence."""
    resumes_anywhere(sequence(kind(items)), items)
    assert [cursor for _, cursor in sequence(kind(items)).items(0)] == [
        index + 1 for index in range(len(items))
    ]


@given(
    start=st.integers(-20, 20),
    stop=st.integers(-20, 20),
    step=st.integers(-5, 5).filter(bool),
)
def test_any_range_resumes(
    start: int, stop: int, step: int, resumes_anywhere: Callable[..., None]
) -> None:
    """Its total is right too, backwards and when it is empty."""
    numbers = range(start, stop, step)
    source = sequence(numbers)
    assert source.total() == len(numbers)
    resumes_anywhere(source, list(numbers))


def test_a_range_too_long_for_len() -> None:
    """Only the beginning is at hand, and still all of it can be resumed in."""
    source = sequence(range(0, 10**30, 10))
    assert source.total() == 10**29
    assert next(source.items(10**28)) == (10**29, 10**28 + 1)
    assert repr(source) == f"sequence(range(0, {10**30}, 10))"


def test_an_index_beyond_the_length_is_a_changed_list() -> None:
    """The index behind the last item is the end, one more is a list that shrank."""
    assert list(sequence("ab").items(2)) == []
    with pytest.raises(SourceChangedError, match=r"sequence\(list of 2\) ends at 2.* cursor 3"):
        list(sequence([1, 2]).items(3))


@pytest.mark.parametrize("cursor", ["1", 1.0, True, -1])
def test_a_cursor_that_is_no_index_is_an_error(cursor: Any) -> None:
    """Negative indices do not count from the end."""
    with pytest.raises(SourceError, match=r"an index from 0 on, not "):
        list(sequence([1, 2]).items(cursor))


def test_a_list_that_changes_under_the_loop_does_not_move_the_items() -> None:
    """What is left to do is what was there when the loop began."""
    numbers = [1, 2, 3]
    seen = []
    for number, _ in sequence(numbers).items(None):
        seen.append(number)
        numbers.remove(number)
    assert seen == [1, 2, 3]


@pytest.mark.parametrize("items", [{1, 2}, {1: 2}, iter([1]), (n for n in [1]), 5, None])
def test_what_has_no_order_is_refused(items: Any) -> None:
    """An index into it would not mean the same item tomorrow."""
    with pytest.raises(SourceError, match=type(items).__name__):
        sequence(items)
