"""The plain tasks. What they import is what a project without continuations would have."""

import json
import os
import time

MARKS = "CONTINUABLE_BENCHMARK_MARKS"
"""The file that tasks and jobs write to."""
SERVER = "CONTINUABLE_BENCHMARK_SERVER"

ROWS = 80_000


def mark(batch: str, what: float) -> None:
    with open(os.environ[MARKS], "a") as file:
        file.write(json.dumps([batch, what]) + "\n")


def noop(batch: str, number: int, count: int) -> None:
    if number in (0, count - 1):
        mark(batch, time.monotonic())


def rows(batch: str, spins: int) -> None:
    started = time.perf_counter()
    for _ in range(ROWS):
        spin(spins)
    mark(batch, time.perf_counter() - started)


def spin(turns: int) -> None:
    for _ in range(turns):
        pass
