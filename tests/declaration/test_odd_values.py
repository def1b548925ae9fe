"""What some queue or store could not hold, or a terminal not show, is refused where it is given."""

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest

from continuable.core.limits import LATEST
from continuable.core.options import exponential_backoff

HUGE = 10**400
NO_WAITS = [math.nan, math.inf, -math.inf, -1, -0.001, 1e12, 2.6e11, HUGE]
NO_NUMBERS = ["5", None, True, timedelta(seconds=5), 1j]
NO_TIMES = [
    datetime.max,  # noqa: DTZ901 - a naive one is local time
    datetime.min,  # noqa: DTZ901
    datetime.max.replace(tzinfo=UTC),
    datetime.min.replace(tzinfo=UTC),
    datetime.max.replace(tzinfo=timezone(timedelta(hours=-14))),
    datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
]
NO_PRIORITIES = [2**31, -(2**31) - 1, 10**30, HUGE]
NO_NAMES = ["", "a\0b", "a\nb", "\x1b[2J", "caf\udce9", "a\x7f", "a\x9bm", "a\u2028b"]


@pytest.fixture
def work(app):
    @app.job
    def work(job): ...

    return work


@pytest.mark.parametrize("wait", NO_WAITS)
def test_a_wait_that_does_not_end_or_cannot_be_kept(app, work, wait):
    with pytest.raises(ValueError, match="wait is a number of seconds from now"):
        work.using(wait=wait)
    with pytest.raises(ValueError, match="retry_wait is a number of seconds from now"):
        app.job(retry_wait=wait)(lambda job: None)
    with pytest.raises(ValueError, match="a number of seconds from now"):
        app.job(resume_options={"wait": wait})(lambda job: None)
    rule = app.job(name="rule", max_retries=1, retry_wait=lambda failures: wait)(print)
    with pytest.raises(ValueError, match="retry_wait is a number of seconds from now"):
        rule.options.retry_after(1)


@pytest.mark.parametrize("wait", NO_NUMBERS)
def test_a_wait_that_is_no_number(work, wait):
    with pytest.raises(TypeError, match="wait is a number of seconds, not"):
        work.using(wait=wait)


@pytest.mark.parametrize("at", NO_TIMES, ids=repr)
def test_a_time_at_the_end_of_all_times(work, at):
    with pytest.raises(ValueError, match="at is a time that can be kept, not datetime"):
        work.using(at=at)


@pytest.mark.parametrize("at", ["2026-12-01", 0, 1e9])
def test_a_time_that_is_none(work, at):
    with pytest.raises(TypeError, match="at is a datetime, not"):
        work.using(at=at)


@pytest.mark.parametrize("priority", NO_PRIORITIES)
def test_a_priority_that_does_not_fit(app, work, priority):
    with pytest.raises(ValueError, match="priority is an integer of at most 32 bits"):
        work.using(priority=priority)
    with pytest.raises(ValueError, match="priority is an integer of at most 32 bits"):
        app.job(priority=priority)(lambda job: None)
    with pytest.raises(ValueError, match="an integer of at most 32 bits"):
        app.job(resume_options={"priority": priority})(lambda job: None)


@pytest.mark.parametrize("priority", [1.0, "1", True, math.nan])
def test_a_priority_that_is_no_integer(app, work, priority):
    with pytest.raises(TypeError, match="priority is an integer, not"):
        work.using(priority=priority)
    with pytest.raises(TypeError, match="priority is an integer, not"):
        app.job(priority=priority)(lambda job: None)


@pytest.mark.parametrize("name", NO_NAMES, ids=ascii)
@pytest.mark.parametrize("option", ["queue", "id", "unique"])
def test_a_name_that_is_none(work, option, name):
    with pytest.raises(ValueError, match=f"{option} (cannot be empty|has no control char)") as told:
        work.using(**{option: name})
    assert str(told.value).isprintable()


@pytest.mark.parametrize("name", NO_NAMES, ids=ascii)
def test_a_name_of_a_job_or_of_its_queue(app, name):
    with pytest.raises(ValueError, match="The name of a job"):
        app.job(name=name)(lambda job: None)
    with pytest.raises(ValueError, match="queue"):
        app.job(name="work", queue=name)(lambda job: None)
    with pytest.raises(ValueError, match="queue"):
        app.job(name="work", resume_options={"queue": name})(lambda job: None)


@pytest.mark.parametrize("option", ["queue", "id", "unique"])
def test_a_name_that_is_no_text(work, option):
    with pytest.raises(TypeError, match=f"{option} is text, not 7"):
        work.using(**{option: 7})


@pytest.mark.parametrize(
    "job_id", ["a b", "a.b", "a:b", "a/b", "naïve", "a'b", "a-b ", "\u0661", "{a}"]
)
def test_an_id_that_not_every_engine_takes(work, job_id):
    with pytest.raises(ValueError, match="id is made of the letters a to z and A to Z"):
        work.using(id=job_id)


def test_an_id_that_is_too_long_for_a_key(work):
    work.using(id="x" * 191)
    with pytest.raises(ValueError, match="id has at most 191 characters, not 192"):
        work.using(id="x" * 192)


def test_what_can_be_held_is_taken(work, queue):
    work.using(wait=1e11, priority=2**31 - 1, queue="café 日本", id="Import_42-b").enqueue()
    work.using(at=datetime.fromtimestamp(LATEST, UTC), priority=-(2**31)).enqueue()
    work.using(at=datetime(1970, 1, 1, tzinfo=UTC)).enqueue()
    assert len(queue.enqueued) == 3


@pytest.mark.parametrize("option", ["max_runtime", "save_every", "max_retries", "max_resumptions"])
def test_an_option_that_is_not_a_number(app, option):
    with pytest.raises(ValueError, match="is 0 or more, not nan"):
        app.job(**{option: math.nan})(lambda job: None)
    with pytest.raises(ValueError, match=f"{option} is at most"):
        app.job(**{option: HUGE})(lambda job: None)


def test_the_default_wait_is_one_that_can_be_held(app):
    job = app.job(name="work", max_retries=10**9)(lambda job: None)
    assert job.options.retry_wait is exponential_backoff
    assert job.options.retry_after(10**6) <= 4500
