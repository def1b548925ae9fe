"""What follows a cursor, and the cursors that nothing follows."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, IntFlag
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuable.core.cursor import is_scalar, successor
from continuable.errors import ContinuationError, UnadvanceableCursorError
from continuable.serialization import Codec

SCALARS = (type(None), bool, int, float, str, bytes, date, timedelta, Decimal, UUID)


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Bits(IntFlag):
    ONE = 1


class Key(int): ...


class Day(date): ...


class Page(str):
    __slots__ = ()

    def succ(self) -> "Page":
        return Page(self + "+")


class Grade(Enum):
    A = 1
    B = 2

    def succ(self) -> "Grade":
        return Grade(self.value + 1)


@given(st.integers())
def test_the_next_int_follows_an_int(number):
    assert successor(number) == number + 1


@given(st.dates(max_value=date.max - timedelta(days=1)))
def test_the_next_day_follows_a_date(day):
    assert successor(day) - day == timedelta(days=1)


def test_a_subclass_stays_what_it_is():
    assert type(successor(Key(1))) is Key
    assert type(successor(Day(2024, 2, 28))) is Day
    assert successor(Day(2024, 2, 28)) == Day(2024, 2, 29)


def test_succ_says_what_follows():
    assert successor(Page("a")) == "a+"
    assert successor(Grade.A) is Grade.B


@pytest.mark.parametrize(
    "cursor",
    [
        None,
        True,
        1.5,
        "a",
        b"a",
        (1,),
        [1],
        {},
        Decimal(1),
        UUID(int=1),
        datetime.now(UTC),
        timedelta(1),
        Level.LOW,
        Level.HIGH,
        Bits.ONE,
        date.max,
        object(),
    ],
)
def test_nothing_follows_other_cursors_and_the_error_says_what_to_do(cursor):
    with pytest.raises(UnadvanceableCursorError) as caught:
        successor(cursor)
    message = str(caught.value)
    assert type(cursor).__qualname__ in message
    assert "step.set(" in message
    assert "succ()" in message


def test_the_error_is_a_type_error_and_one_of_ours():
    assert issubclass(UnadvanceableCursorError, TypeError)
    assert issubclass(UnadvanceableCursorError, ContinuationError)


@given(st.one_of([st.from_type(kind) for kind in SCALARS]))
def test_every_value_of_a_type_that_needs_no_second_look_can_be_kept(value):
    assert is_scalar(type(value))
    Codec().dumps(value, "The cursor")
