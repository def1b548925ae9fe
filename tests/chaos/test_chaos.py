"""The chaos run, for a few seconds of each store; `make chaos` is the long one."""

import random

import pytest

from tests.chaos.places import PLACES
from tests.chaos.run import run

SECONDS = 2.5
ROWS = 500


SAMPLE = {"embedded queue", "RedisProgress"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "place",
    [
        pytest.param(place, id=place.name, marks=[pytest.mark.sample] * (place.name in SAMPLE))
        for place in PLACES
    ],
)
def test_imports_come_through_whatever_is_done_to_their_workers_and_servers(place):
    if place.missing:
        pytest.skip(place.missing)
    seed = random.randrange(10_000)
    lines = run(place, SECONDS, seed, ROWS)
    assert len(lines) == 1 + ("commit" in place.ways)
    for line in lines:
        assert not line.problems, f"seed {seed}: {line.problems}"
        assert all(one.runs for one in line.imports)
        assert line.redone == 0 or line.kind == "without"
