from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuable.cli.showing import phrases
from continuable.model.states import State
from tests.cli.showing.jobs import NOON, at, job


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": State.RUNNING}, "running"),
        ({"state": State.RUNNING, "reason": "stopping"}, "running"),
        ({"state": State.WAITING}, "waiting"),
        ({"state": State.WAITING, "run_at": at(600)}, "waiting, starts in 10 min"),
        ({"state": State.WAITING, "run_at": at(-1)}, "waiting, starts now"),
        (
            {"state": State.INTERRUPTED, "reason": "stopping", "run_at": at(5)},
            "interrupted (stopping), resumes in 5 s",
        ),
        ({"state": State.INTERRUPTED, "reason": "died"}, "interrupted (died)"),
        ({"state": State.PAUSED, "reason": "paused"}, "paused"),
        ({"state": State.COMPLETED, "run_at": at(5)}, "completed"),
    ],
)
def test_the_state_is_told_with_its_reason_and_its_delay(changes, words):
    assert phrases.standing(job(**changes), NOON) == words


def test_a_share_is_known_only_with_a_total_that_can_be_true():
    assert phrases.fraction(job("read", done=1, total=4)) == 0.25
    assert phrases.fraction(job("read", done=0, total=4)) == 0.0
    assert phrases.fraction(job("read", done=1)) is None
    assert phrases.fraction(job("read", done=5, total=4)) is None
    assert phrases.fraction(job("read", done=0, total=0)) is None
    assert phrases.fraction(job(done=1, total=4)) is None


@pytest.mark.parametrize(
    ("done", "words"), [(0, "0 %"), (511, "51 %"), (999, "99 %"), (1000, "100 %"), (1001, "")]
)
def test_only_what_is_done_is_a_hundred_percent(done, words):
    assert phrases.percentage(job("read", done=done, total=1000)) == words


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"step": "read", "done": 51_000, "total": 80_000}, "51,000 of 80,000"),
        ({"step": "read", "done": 51_000}, "51,000 done"),
        ({"step": "read"}, ""),
        ({"step": "read", "done": 5, "total": 4}, "5 of 4"),
        ({"done": 5}, ""),
    ],
)
def test_a_count_is_told_as_far_as_it_is_known(changes, words):
    assert phrases.count(job(**changes)) == words


@pytest.mark.parametrize(
    ("cursor", "words"),
    [
        (51001, "cursor 51001"),
        ("ü", 'cursor "ü"'),
        ([1, "a"], 'cursor [1, "a"]'),
        (0, "cursor 0"),
        (None, ""),
        ("x" * 100, 'cursor "' + "x" * 38 + "…"),
    ],
)
def test_a_cursor_is_shown_in_its_plain_form_and_not_for_pages(cursor, words):
    assert phrases.cursor(job("read", cursor)) == words


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"step": "read", "cursor": 7}, "at 'read', cursor 7"),
        ({"step": "read"}, "at 'read'"),
        ({"completed": ["validate", "read"]}, "after 'read'"),
        ({}, "at its beginning"),
    ],
)
def test_a_place_is_a_step_and_its_cursor(changes, words):
    assert phrases.place(job(**changes)) == words


@pytest.mark.parametrize(
    ("rate", "words"),
    [(None, ""), (0.0, "0.0/s"), (0.42, "0.4/s"), (9.9, "9.9/s"), (2134.4, "2,134/s")],
)
def test_a_rate_has_two_digits_at_least(rate, words):
    assert phrases.per_second(rate) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 s"),
        (0.4, "0 s"),
        (5, "5 s"),
        (59.6, "1 min"),
        (200, "3 min 20 s"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (90_000, "1 d 1 h"),
        (86_400 * 4000, "4,000 d"),
    ],
)
def test_a_span_has_two_units_at_most(seconds, words):
    assert phrases.span(seconds) == words


@given(st.floats(0, 1e7))
def test_a_span_is_right_to_within_its_smallest_unit(seconds):
    units = {"s": 1, "min": 60, "h": 3600, "d": 86_400}
    words = phrases.span(seconds).replace(",", "").split()
    told = sum(int(n) * units[u] for n, u in zip(words[::2], words[1::2], strict=True))
    assert seconds - told < 3600.5 if "d" in words else seconds - told < 60.5
    assert told - seconds <= 0.5


def test_a_job_is_called_by_its_last_name_and_its_id():
    assert phrases.title(job()) == "process_import[42]"
    assert phrases.title(job(name="import")) == "import[42]"


def test_a_number_decides_on_the_plural():
    assert [phrases.plural(n, "job") for n in (0, 1, 2, 1000)] == [
        "0 jobs",
        "1 job",
        "2 jobs",
        "1,000 jobs",
    ]
    assert phrases.resumptions(job(resumptions=2)) == "2 resumptions"
    assert phrases.resumptions(job()) == ""


def test_a_moment_is_told_in_local_time_and_from_now():
    assert phrases.ago(NOON, at(200)) == "3 min 20 s ago"
    read = datetime.fromisoformat(phrases.local(NOON)).astimezone(UTC)
    assert read == NOON
