"""How tests wait: for a condition, with a deadline that only a hang comes to."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

DEADLINE = 120.0
"""Seconds. A busy machine is not a failure."""


def until(condition: Callable[[], T], what: str = "", deadline: float = DEADLINE) -> T:
    """Wait until `condition` holds, and give what it said."""
    end = time.monotonic() + deadline
    while not (found := condition()):
        assert time.monotonic() < end, f"{what or condition} did not come true in {deadline} s"
        time.sleep(0.004)
    return found
