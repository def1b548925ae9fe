"""The plain tasks. What they import is what a project without continuations would have."""

import json
import os
import time

MARKS = "CONTINUABLE_BENCHMARK_MARKS"
"""The file that tasks and jobs write to."""
SERVER = "CONTINUABLE_BENCHMARK_SERVER"

ROWS = 80_000
ROW_SECONDS = 20e-6


def mark(batch: str, what: float) -> None:
    with open(os.environ[MARKS], "a") as file:
        file.write(json.dumps([batch, what]) + "\n")


def noop(batch: str, number: int, count: int) -> None:
    if number in (0, count - 1):
        mark(batch, time.monotonic())


def calibrate(batch: str) -> None:
    """How fast it is differs from process to process."""
    mark(batch, spins_per_row())


def rows(batch: str, spins: int) -> None:
    started = time.perf_counter()
    for _ in range(ROWS):
        spin(spins)
    mark(batch, time.perf_counter() - started)


def spin(turns: int) -> None:
    """A loop in C: one in Python is up to twice as fast at one depth of calls as at another."""
    sum(range(turns))


def spins_per_row() -> int:
    """How many turns take as long as a row is to take, in this process."""
    turns = 1000
    # Of half a second, the best: at its start a worker has the other core busy as well.
    each = min(_seconds(turns) for _ in range(20_000)) / turns
    return round(ROW_SECONDS / each)


def _seconds(turns: int) -> float:
    started = time.perf_counter()
    spin(turns)
    return time.perf_counter() - started
