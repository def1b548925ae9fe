"""One figure, what it may be, and the table of them all."""

from __future__ import annotations

import operator
import statistics
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    what: str
    value: float
    unit: str
    target: str = ""
    """`<= 2.0`, `>= 3.0`, or nothing."""
    detail: str = ""

    @property
    def holds(self) -> bool | None:
        if not self.target:
            return None
        sign, limit = self.target.split()
        compare = {"<=": operator.le, ">=": operator.ge}[sign]
        return compare(self.value, float(limit))

    def __str__(self) -> str:
        verdict = {True: "ok", False: "MISSED", None: ""}[self.holds]
        value = f"{self.value:,.2f}" if self.value < 1000 else f"{self.value:,.0f}"
        return (
            f"{self.what:<62}{value:>10} {self.unit:<8}{self.target:<10}{verdict:<8}{self.detail}"
        )


HEADING = f"{'':<62}{'figure':>10} {'':<8}{'target':<10}"


def interleaved(rounds: int, **ways: Callable[[], float]) -> dict[str, list[float]]:
    """The figures of each way, taken in turns, so that all see the same machine."""
    figures: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            figures[name].append(way())
    return figures


def median_of_ratios(over: list[float], under: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(over, under, strict=True))
