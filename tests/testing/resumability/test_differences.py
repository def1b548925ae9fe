"""How two observations differ, told so that a person sees it at once."""

import math
from collections import Counter, OrderedDict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuable.testing.resumability.difference import differences


def texts(expected, actual):
    return [difference.text for difference in differences(expected, actual)]


def directions(expected, actual):
    return [difference.direction for difference in differences(expected, actual)]


@dataclass
class Row:
    number: int


@pytest.mark.parametrize(
    ("expected", "actual", "told", "direction"),
    [
        (3, 4, "4 instead of 3", "more"),
        (3, 2, "2 instead of 3", "less"),
        (Decimal("1.5"), Decimal(2), "Decimal('2') instead of Decimal('1.5')", "more"),
        (None, 3, "3 instead of None", "more"),
        (3, None, "None instead of 3", "less"),
        (date(2026, 8, 1), date(2026, 8, 2), None, "more"),
        (1j, 2j, "2j instead of 1j", "other"),
        (3, "3", "'3' instead of 3", "other"),
        ("ab", "abc", "'abc' instead of 'ab'", "other"),
        (True, False, "False instead of True", "less"),
        (Row(1), Row(2), "Row(number=2) instead of Row(number=1)", "other"),
        ([1, 2], [1, 2, 2], "too much: 2", "more"),
        ([1, 2], [1, 2, 2, 2], "too much: 2 (2 times)", "more"),
        ([1, 2], [2], "missing: 1", "less"),
        ({1, 2}, {1}, "missing: 2", "less"),
        (
            [1, 2, 3],
            [1, 3, 2],
            "another order from item 1 on: [1, 3, 2] instead of [1, 2, 3]",
            None,
        ),
        ([1, 2], (1, 2), "(1, 2) instead of [1, 2]", None),
        ({"a": 1}, {}, "['a']: missing, was 1", "less"),
        ({}, {"a": 1}, "['a']: too much, 1", "more"),
        ({"a": {"b": [1]}}, {"a": {"b": []}}, "['a']['b']: missing: 1", "less"),
        ("a\nb\nc", "a\nc", "missing: 'b'", "less"),
        (Counter("aab"), Counter("aaab"), "['a']: 3 instead of 2", "more"),
        ([("a", 2), ("b", 1)], [("a", 3), ("b", 1)], "[0][1]: 3 instead of 2", "more"),
        ([{"id": 1, "n": 2}], [{"id": 1, "n": 3}], "[0]['n']: 3 instead of 2", "more"),
    ],
)
def test_a_difference_in_a_line(expected, actual, told, direction):
    if told is not None:
        assert texts(expected, actual) == [told]
    assert directions(expected, actual) == [direction or "other"]


def test_too_much_and_missing_are_told_apart():
    assert texts([1, 2], [2, 3]) == ["too much: 3", "missing: 1"]
    assert texts([(1, "a"), (2, "b")], [(1, "a"), (3, "c")]) == [
        "too much: (3, 'c')",
        "missing: (2, 'b')",
    ]


def test_every_key_of_a_mapping_is_told():
    expected, actual = {"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 3, "d": 4}
    assert texts(expected, actual) == [
        "['b']: 3 instead of 2",
        "['c']: missing, was 3",
        "['d']: too much, 4",
    ]


def test_many_items_are_counted():
    assert texts([], [*range(9)]) == ["too much: 0, 1, 2, 3, 4, 5 and 3 more"]


def test_long_values_are_shown_around_their_difference():
    expected, actual = "x" * 300 + "A" + "y" * 300, "x" * 300 + "B" + "y" * 300
    [text] = texts(expected, actual)
    shown = "... " + "x" * 20
    assert text.startswith(f"{shown}B")
    assert f"instead of {shown}A" in text
    assert len(text) < 220


def test_what_is_not_equal_and_looks_the_same_is_no_difference():
    class Odd:
        def __repr__(self):
            return "<odd>"

    assert texts([Odd()], [Odd()]) == []
    assert texts(math.nan, math.nan) == []
    assert texts(OrderedDict(a=1), {"a": 1}) == []


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.sets(st.integers(), max_size=3)
        | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(PLAIN, PLAIN)
def test_there_is_a_difference_wherever_two_values_differ(expected, actual):
    found = [*differences(expected, actual)]
    assert bool(found) == (expected != actual and repr(expected) != repr(actual))
    assert all(difference.marks and difference.text for difference in found)


@given(PLAIN)
def test_there_is_none_between_equal_values(value):
    assert texts(value, value) == []
