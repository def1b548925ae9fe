import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuable.cli.showing.pace import WINDOW, Pace
from continuable.model.states import State
from tests.cli.showing.jobs import at, job


def watched(*looks):
    """A pace that has seen the job saved at these seconds with so many items done."""
    pace = Pace()
    for seconds, done in looks:
        pace.observe(job("read", done=done, saved_at=at(seconds)))
    return pace


def test_a_rate_takes_two_saves():
    assert watched().rate is None
    assert watched((1, 100)).rate is None
    assert watched((1, 100), (2, 150)).rate == 50


def test_looking_twice_at_one_save_changes_nothing():
    assert watched((1, 100), (2, 150), (2, 150), (2, 150)).rate == 50


def test_only_the_last_seconds_count():
    steady = [(second, second * 100) for second in range(10)]
    slower = [(10 + second, 900 + second * 10) for second in range(30)]
    assert watched(*steady, *slower).rate == pytest.approx(10)


@given(st.floats(0.1, 5), st.integers(1, 1000), st.integers(2, 50))
def test_a_steady_job_has_its_rate_whenever_it_is_saved(pause, items, saves):
    pace = watched(*((n * pause, n * items) for n in range(saves)))
    assert pace.rate == pytest.approx(items / pause, rel=1e-3)


def test_the_time_in_which_it_was_interrupted_does_not_count():
    pace = watched((1, 100), (2, 200))
    pace.observe(job("read", done=200, saved_at=at(2), state=State.INTERRUPTED))
    pace.observe(job("read", done=200, saved_at=at(3600), executions=2))
    assert pace.rate == 100  # the best guess until there is a new one
    pace.observe(job("read", done=450, saved_at=at(3601), executions=2))
    assert pace.rate == 250


def test_a_new_step_has_no_rate_yet():
    pace = watched((1, 100), (2, 200))
    pace.observe(job("write", done=1, saved_at=at(3)))
    assert pace.rate is None


def test_a_count_that_goes_back_is_not_believed():
    assert watched((1, 100), (2, 200), (3, 50)).rate == 100


def test_the_time_left_follows_from_rate_and_total():
    pace = watched((1, 100), (2, 200))
    assert pace.seconds_left(job("read", done=200, total=500)) == 3
    assert pace.seconds_left(job("read", done=500, total=500)) == 0
    assert pace.seconds_left(job("read", done=200)) is None
    assert pace.seconds_left(job("read", done=501, total=500)) is None
    assert watched().seconds_left(job("read", done=200, total=500)) is None


def test_a_job_that_stands_still_has_no_time_left():
    assert watched((1, 100), (2, 100)).seconds_left(job("read", done=100, total=500)) is None


def test_saves_that_are_far_apart_still_make_a_rate():
    """As those of a job that is saved every minute."""
    assert watched((0, 0), (4 * WINDOW, 600)).rate == pytest.approx(600 / (4 * WINDOW))
