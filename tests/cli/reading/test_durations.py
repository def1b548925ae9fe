from datetime import datetime

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuable.cli.reading.durations import SECONDS, duration, moment


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30),
        ("30s", 30),
        ("0.5", 0.5),
        ("250ms", 0.25),
        ("10m", 600),
        ("2h", 7200),
        ("1.5h", 5400),
        ("1h30m", 5400),
        ("1H 30M", 5400),
        ("1d", 86_400),
        ("2w", 1_209_600),
    ],
)
def test_a_duration_is_read_as_people_write_it(text, seconds):
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-5s", "5 years", "1h30", "h", "1e3", "nan", "5s!"])
def test_what_is_no_duration_is_refused_with_the_ways_to_write_one(text):
    with pytest.raises(
        click.BadParameter, match=r"is no duration: write 30s, 10m, 2h, 1d or 1h30m"
    ):
        duration(text)


def test_a_duration_beyond_all_calendars_is_refused():
    with pytest.raises(click.BadParameter, match="too long"):
        duration("99999999d")


@given(st.lists(st.tuples(st.integers(0, 999), st.sampled_from(sorted(SECONDS))), min_size=1))
def test_the_parts_of_a_duration_are_added(parts):
    text = "".join(f"{number}{unit}" for number, unit in parts)
    assert duration(text) == pytest.approx(sum(number * SECONDS[unit] for number, unit in parts))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-12-24 18:00", datetime.fromisoformat("2026-12-24T18:00:00")),
        ("2026-12-24T18:00:30", datetime.fromisoformat("2026-12-24T18:00:30")),
        (" 2026-12-24 ", datetime.fromisoformat("2026-12-24T00:00:00")),
        ("2026-12-24T18:00+01:00", datetime.fromisoformat("2026-12-24T18:00+01:00")),
    ],
)
def test_a_moment_is_local_unless_it_says_otherwise(text, expected):
    read = moment(text)
    assert (read, read.tzinfo) == (expected, expected.tzinfo)


@pytest.mark.parametrize(
    "text", ["tomorrow", "18:00", "24.12.2026", "", "2026-13-01", "0001-01-01"]
)
def test_what_is_no_moment_is_refused_with_the_ways_to_write_one(text):
    with pytest.raises(click.BadParameter, match=r"write 2026-12-24 18:00 \(local time\)"):
        moment(text)
