"""The plain tasks. What they import is what a project without continuations would have."""

import json
import os
import time

from benchmarks.pace import time_bare, turns_per_row

MARKS = "CONTINUABLE_BENCHMARK_MARKS"
"""The file that tasks and jobs write to."""
SERVER = "CONTINUABLE_BENCHMARK_SERVER"


def mark(batch: str, what: float) -> None:
    with open(os.environ[MARKS], "a") as file:
        file.write(json.dumps([batch, what]) + "\n")


def noop(batch: str, number: int, count: int) -> None:
    if number in (0, count - 1):
        mark(batch, time.monotonic())


def calibrate(batch: str) -> None:
    """How fast it is differs from process to process."""
    mark(batch, turns_per_row())


def rows(batch: str, turns: int) -> None:
    mark(batch, time_bare(turns))
