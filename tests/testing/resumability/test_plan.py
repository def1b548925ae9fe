"""Which points are struck when there is a budget."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from continuable.testing.resumability.plan import Plan, sample
from continuable.testing.resumability.points import Durable, Point


def points(*steps):
    """A job whose steps have so many checkpoints."""
    places = []
    for name, count in zip("abcdefgh", steps, strict=False):
        places += [("checkpoint", name)] * count + [("border", None), ("checkpoint", None)]
    places[-1:] = [("end", None)]
    durable = Durable("{}", None, '{"completed":[]}')
    return [
        Point(number, kind, step, number, None, durable)
        for number, (kind, step) in enumerate(places)
    ]


def test_without_a_budget_all_points_are_struck():
    assert sample(points(5, 5), None) == points(5, 5)


def test_the_rest_is_spread_evenly():
    chosen = [point.ordinal for point in sample(points(1000), 13)]
    assert chosen[0] == 0
    assert chosen[-3:] == [999, 1000, 1001]
    gaps = {after - before for before, after in pairwise(chosen[1:-3])}
    assert gaps <= {110, 111, 112}


@given(st.lists(st.integers(0, 20), min_size=1, max_size=8), st.integers(0, 100))
def test_ends_and_borders_are_always_in_and_the_budget_is_used(steps, budget):
    every = points(*steps)
    chosen = sample(every, budget)
    assert chosen == sorted(chosen, key=lambda point: point.ordinal)
    assert {every[0], every[-1]} <= {*chosen}
    assert {point for point in every if point.is_border} <= {*chosen}
    for name in "abcdefgh":
        within = [point for point in every if point.step == name]
        assert {*within[:1], *within[-1:]} <= {*chosen}
    needed = len(sample(every, 0))
    assert len(chosen) == min(len(every), max(budget, needed))


def test_points_that_no_fault_can_strike_are_not_counted():
    plan = Plan(points(3, 3), ["interrupt"])
    assert (plan.points, plan.struck, len(plan.strikes), plan.how) == (7, 7, 7, "")


def test_numbers_choose_among_the_strikes_round_and_round():
    every = Plan(points(3, 3), ["interrupt", "kill"]).strikes
    count = len(every)
    chosen = Plan(points(3, 3), ["interrupt", "kill"], numbers=[1, count, count + 1, 3])
    assert chosen.strikes == [every[1], every[0], every[3]]
    assert chosen.how == "chosen by strikes="
