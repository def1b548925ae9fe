"""What a checkpoint costs, against an empty method of the same signature."""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks.table import Figure
from continuable import App, Job, Step

CALLS = 20_000
ROUNDS = 150
_HERE = object()


class Empty:
    __slots__ = ("cursor",)

    def set(self, cursor):
        pass

    def advance(self, *, past=_HERE):
        pass


def time_set(step) -> float:
    started = time.perf_counter()
    for number in range(CALLS):
        step.set(number)
    return time.perf_counter() - started


def time_advance(step) -> float:
    started = time.perf_counter()
    for _ in range(CALLS):
        step.advance()
    return time.perf_counter() - started


def time_advance_past(step) -> float:
    started = time.perf_counter()
    for number in range(CALLS):
        step.advance(past=number)
    return time.perf_counter() - started


WAYS = [
    ("step.set(i) / empty method", time_set, "<= 2.0"),
    ("step.advance() / empty method", time_advance, "<= 3.8"),
    ("step.advance(past=i) / empty method", time_advance_past, "<= 3.5"),
]


def figures() -> Iterator[Figure]:
    best: dict[str, tuple[float, float]] = {}

    @App().job
    def measure(job: Job) -> None:
        @job.step(start=0)
        def steps(step: Step[int]) -> None:
            empty = Empty()
            for what, way, _ in WAYS:
                ours, theirs = [], []
                for _ in range(ROUNDS):
                    theirs.append(way(empty))
                    ours.append(way(step))
                best[what] = (min(ours), min(theirs))

    measure()
    for what, _, target in WAYS:
        ours, theirs = best[what]
        detail = f"{ours / CALLS * 1e9:.0f} ns against {theirs / CALLS * 1e9:.0f} ns"
        yield Figure(what, ours / theirs, "x", target, detail)
