"""Rows of 20 us each, timed by the speed that their process has meanwhile.

A processor that is shared with others is up to a tenth faster or slower from one second to the
next, and that is several times what is to be measured. So each few rows are followed by the work
of half as many alone, which tells how fast the processor is just then.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

ROWS = 80_000
ROW_SECONDS = 20e-6
BLOCK = 200
ALONE = 100


class Pace:
    """Times 80,000 rows of so many turns, from the moment that it is made."""

    def __init__(self, turns: int) -> None:
        self._turns = turns
        self._alone = 0.0
        self._started_at = time.perf_counter()

    def rows(self) -> Iterator[range]:
        """Their numbers, block by block."""
        for number in range(0, ROWS, BLOCK):
            yield range(number, number + BLOCK)
            self._work_alone()

    def taken(self) -> float:
        """Seconds from the start to now, if the work of a row takes 20 us, and none is done alone.

        What other threads hold up is in it, whenever they do.
        """
        seconds = time.perf_counter() - self._started_at - self._alone
        return seconds * (ROWS // BLOCK * ALONE * ROW_SECONDS) / self._alone

    def _work_alone(self) -> None:
        started_at = time.thread_time()
        for _ in range(ALONE):
            spin(self._turns)
        self._alone += time.thread_time() - started_at


def time_bare(turns: int) -> float:
    """Rows of which nobody keeps the cursor."""
    pace = Pace(turns)
    for block in pace.rows():
        for _ in block:
            spin(turns)
    return pace.taken()


def spin(turns: int) -> None:
    """A loop in C: one in Python is up to twice as fast at one depth of calls as at another."""
    sum(range(turns))


def turns_per_row() -> int:
    """How many turns take as long as a row is to take, in this process."""
    turns = 1000
    # Of half a second, the best: at its start a worker has the other core busy as well.
    each = min(_seconds(turns) for _ in range(20_000)) / turns
    return round(ROW_SECONDS / each)


def _seconds(turns: int) -> float:
    started_at = time.perf_counter()
    spin(turns)
    return time.perf_counter() - started_at
