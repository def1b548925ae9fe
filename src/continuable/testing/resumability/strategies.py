"""For property tests: a hypothesis strategy that chooses where to strike."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

MANY = 2**16


def strikes(at_most: int = 3) -> SearchStrategy[list[int]]:
    """Numbers for the `strikes=` of `check_resumable`: a few strikes, instead of all, each time.

    ::

        @settings(deadline=None)  # a check is many runs
        @given(rows=lists(integers()), where=strikes())
        def test_it_resumes(rows, where):
            check_resumable(job, rows, observe=..., reset=..., strikes=where)
    """
    from hypothesis import strategies as st

    numbers = st.integers(min_value=0, max_value=MANY)
    return st.lists(numbers, min_size=1, max_size=at_most, unique=True)
