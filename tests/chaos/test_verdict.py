"""The chaos run finds what it is there to find."""

import pytest

from tests.chaos.rows import Row
from tests.chaos.verdict import MOST_LOST, Imported

COUNT = 3 * MOST_LOST


def imported(way, **known):
    """An import of two executions, the first of which was killed in the middle."""
    half = COUNT // 2
    one = Imported("job", way, COUNT, state="completed", result=str(COUNT), deaths=1)
    one.runs = [
        {"run": 10, "execution": 1, "cursor": 0, "at": 10.0},
        {"run": 20, "execution": 2, "cursor": half, "at": 20.0},
    ]
    one.saves = [{"cursor": half, "at": 11.0}]
    one.ends = [{"at": 30.0}]
    one.rows = [Row("job", n, 10, 11.0) for n in range(half)]
    one.rows += [Row("job", n, 20, 21.0) for n in range(half, COUNT)]
    for name, value in known.items():
        setattr(one, name, value)
    return one


def problem_of(one):
    (problem,) = one.problems()
    return problem


@pytest.mark.parametrize("way", ["transaction", "commit", "set"])
def test_an_import_without_a_fault(way):
    assert imported(way).problems() == []


def test_a_job_that_is_not_completed():
    assert problem_of(imported("set", state="failed")) == "job: is failed"


def test_a_job_that_has_ended_twice():
    assert "ended 2 times" in problem_of(imported("set", ends=[{"at": 30.0}, {"at": 31.0}]))


def test_a_job_that_ran_after_its_end():
    assert "after its end" in problem_of(imported("set", ends=[{"at": 19.0}]))


@pytest.mark.parametrize("way", ["transaction", "set"])
def test_a_row_that_is_missing(way):
    one = imported(way)
    del one.rows[7]
    assert "1 rows are missing" in problem_of(one)


def test_a_row_that_is_there_twice_although_it_was_committed_with_the_cursor():
    one = imported("commit")
    one.rows.append(one.rows[-1])
    assert "there twice" in problem_of(one)


def test_a_zombie_whose_commit_was_not_refused():
    one = imported("commit")
    one.rows[-1] = one.rows[-1]._replace(run=10)
    assert "a later one had begun" in problem_of(one)


def test_a_save_that_did_not_last():
    one = imported("set", saves=[{"cursor": COUNT - 1, "at": 19.0}])
    assert f"although {COUNT - 1} was saved" in problem_of(one)


def test_a_save_told_after_the_job_was_taken_away_is_no_promise_to_the_next_one():
    assert imported("set", saves=[{"cursor": COUNT - 1, "at": 21.0}]).problems() == []


def test_rows_that_are_redone_within_the_bound_and_beyond():
    one = imported("set")
    one.rows += [Row("job", n, 10, 11.0) for n in range(COUNT // 2, COUNT // 2 + MOST_LOST)]
    assert one.problems() == []
    assert one.redone == MOST_LOST
    one.rows.append(Row("job", COUNT // 2 + MOST_LOST, 10, 11.0))
    assert f"lost {MOST_LOST + 1} rows" in problem_of(one)


def test_a_zombie_that_goes_on_and_on():
    one = imported("set")
    one.rows += [Row("job", n, 10, 22.0) for n in range(COUNT // 2, COUNT)]
    assert "when it was over" in problem_of(one)


def test_rows_that_were_lost_though_nobody_has_died():
    one = imported("set", deaths=0)
    one.rows += [Row("job", n, 10, 11.0) for n in range(COUNT // 2, COUNT // 2 + 2)]
    assert "only 0 were violent" in problem_of(one)
