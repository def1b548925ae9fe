"""Which strikes are made: all of them, or of too many an even sample."""

from __future__ import annotations

from collections.abc import Sequence

from continuable.testing.resumability.points import Point, strikes_at


class Plan:
    """The strikes to make.

    `budget`: at most so many points, but always the first, the last and the borders of steps.
    `numbers`: of all strikes these alone, counted round and round.
    """

    def __init__(
        self,
        points: Sequence[Point],
        faults: Sequence[str],
        budget: int | None = None,
        numbers: Sequence[int] | None = None,
    ) -> None:
        points = [point for point in points if any(strikes_at(point, faults))]
        sampled = sample(points, budget)
        strikes = [strike for point in sampled for strike in strikes_at(point, faults)]
        if numbers is not None and strikes:
            chosen = dict.fromkeys(number % len(strikes) for number in numbers)
            strikes = [strikes[number] for number in chosen]
        self.strikes = strikes
        self.points = len(points)
        """How many points these faults can strike at."""
        self.struck = len({strike.point.ordinal for strike in strikes})
        """How many of them are struck."""
        self.how = ""
        """How those were chosen, if not all are."""
        if numbers is not None:
            self.how = "chosen by strikes="
        elif len(sampled) < len(points):
            self.how = "sampled evenly with the first, the last and all borders of steps"


def sample(points: Sequence[Point], budget: int | None) -> list[Point]:
    """At most `budget` of `points`, evenly spread; the ends and borders of steps always."""
    if budget is None or len(points) <= budget:
        return list(points)
    chosen = {
        index
        for index, point in enumerate(points)
        if index in {0, len(points) - 1} or point.is_border or _is_first_or_last(points, index)
    }
    others = [index for index in range(len(points)) if index not in chosen]
    wanted = min(max(0, budget - len(chosen)), len(others))
    chosen |= {others[(2 * n + 1) * len(others) // (2 * wanted)] for n in range(wanted)}
    return [points[index] for index in sorted(chosen)]


def _is_first_or_last(points: Sequence[Point], index: int) -> bool:
    step = points[index].step
    return points[index - 1].step != step or points[index + 1].step != step
