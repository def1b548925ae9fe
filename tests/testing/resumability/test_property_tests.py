"""`check_resumable` inside property tests: users' own, and ours of the check itself."""

from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from continuable import App
from continuable.testing import NotResumableError, check_resumable, strikes

ALL = ("interrupt", "kill", "error", "duplicate")


def copying(effect):
    """A job that copies rows to a copy, one by one; with the copy, and how to look at it."""
    app, copy = App(), []

    @app.job
    def work(job, rows):
        @job.step(start=0)
        def go(step):
            while step.cursor < len(rows):
                effect(step, copy, rows[step.cursor])

    return work, {"observe": lambda: [*copy], "reset": copy.clear}


def well(step, copy, row):
    if (step.cursor, row) not in copy:
        copy.append((step.cursor, row))
    step.advance()


def badly(step, copy, row):
    at = step.cursor
    step.advance()
    copy.append((at, row))


@given(rows=st.lists(st.integers(), max_size=8))
def test_a_whole_check_for_each_example(check_resumable, rows):
    work, world = copying(well)
    check_resumable(work, rows, **world)


@given(rows=st.lists(st.integers(), max_size=30), where=strikes())
def test_a_few_strikes_for_each_example(rows, where):
    work, world = copying(well)
    found = check_resumable(work, rows, **world, strikes=where)
    assert 1 <= found.runs <= len(where) <= 3


def test_a_bug_is_found_and_shrunk_to_its_smallest_case():
    work, world = copying(badly)
    failing = []

    @settings(database=None, derandomize=True, report_multiple_bugs=False)
    @given(rows=st.lists(st.integers(), max_size=30), where=strikes())
    def test(rows, where):
        try:
            check_resumable(work, rows, **world, faults=["interrupt"], strikes=where)
        except NotResumableError:
            failing.append((rows, where))
            raise

    with pytest.raises(NotResumableError):
        test()
    assert failing[-1] == ([0], [0])


@given(where=strikes(at_most=1))
def test_no_more_strikes_than_were_asked_for(where):
    assert len(where) == 1


# What the check itself has to keep: it finds every bug that is there, and none that is not.


@dataclass(frozen=True)
class Item:
    """An effect in a step, and how it is written."""

    is_idempotent: bool
    is_before_cursor: bool


ITEMS = st.builds(Item, is_idempotent=st.booleans(), is_before_cursor=st.booleans())
STEPS = st.lists(st.lists(ITEMS, max_size=3), max_size=4)
WELL = st.just(Item(is_idempotent=True, is_before_cursor=True))


def job_of(steps, isolated=frozenset()):
    """A job that does what `steps` say, and the world that it changes."""
    app, world = App(), Counter()

    def effect(item, place):
        world[place] = 1 if item.is_idempotent else world[place] + 1

    @app.job
    def work(job):
        for number, items in enumerate(steps):

            @job.step(name=f"step {number}", start=0, isolated=number in isolated)
            def run(step, items=items, number=number):
                for place in range(step.cursor, len(items)):
                    item = items[place]
                    if item.is_before_cursor:
                        effect(item, (number, place))
                    step.advance(past=place)
                    if not item.is_before_cursor:
                        effect(item, (number, place))

    return work, {"observe": lambda: dict(world), "reset": world.clear}


@given(
    steps=st.lists(st.lists(WELL, max_size=3), max_size=4),
    isolated=st.sets(st.integers(0, 3)),
    faults=st.lists(st.sampled_from(ALL), min_size=1, unique=True),
    budget=st.none() | st.integers(0, 12),
)
def test_a_job_without_a_bug_passes_whatever_strikes_it(steps, isolated, faults, budget):
    work, world = job_of(steps, isolated)
    check_resumable(work, **world, faults=faults, budget=budget)


@given(steps=STEPS, isolated=st.sets(st.integers(0, 3)))
def test_a_job_passes_only_if_it_has_no_bug(steps, isolated):
    work, world = job_of(steps, isolated)
    items = [item for step in steps for item in step]
    is_correct = all(item.is_idempotent and item.is_before_cursor for item in items)
    with nullcontext() if is_correct else pytest.raises(NotResumableError):
        check_resumable(work, **world)


@given(
    steps=st.lists(st.lists(WELL, min_size=1, max_size=3), min_size=2, max_size=4),
    data=st.data(),
)
def test_one_bug_among_many_steps_is_named_at_its_place(steps, data):
    number = data.draw(st.integers(0, len(steps) - 1), label="step")
    place = data.draw(st.integers(0, len(steps[number]) - 1), label="place")
    is_idempotent = data.draw(st.booleans(), label="is_idempotent")
    item = Item(is_idempotent=is_idempotent, is_before_cursor=not is_idempotent)
    steps[number] = [*steps[number][:place], item, *steps[number][place + 1 :]]
    work, world = job_of(steps)
    with pytest.raises(NotResumableError) as caught:
        check_resumable(work, **world)
    usual = "the cursor is advanced before" if is_idempotent else "an effect that is not idempotent"
    assert str(caught.value).count("Usual cause: ") == 1
    assert f"Usual cause: {usual}" in str(caught.value)
    for failure in caught.value.failures:
        assert f"({number}, {place})" in failure.differences[0].text
