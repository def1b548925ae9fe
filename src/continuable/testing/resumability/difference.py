"""How two observations differ, in lines that a person can read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Literal

WIDE = 100
MANY = 6
CONTEXT = 20

Direction = Literal["more", "less", "other"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it was."""

    text: str
    direction: Direction
    """Whether there is more than there was, or less."""
    marks: frozenset[str]
    """What tells it from other differences, item by item."""


def differences(expected: Any, actual: Any, path: str = "") -> Iterator[Difference]:
    """What is different in `actual`."""
    if is_alike(expected, actual):
        return
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        yield from _of_mappings(expected, actual, path)
    elif _is_record(expected, actual):
        yield from _of_places(expected, actual, path)
    elif _is_many(expected) and _is_many(actual):
        yield from _of_items(expected, actual, path)
    elif isinstance(expected, str) and isinstance(actual, str) and "\n" in expected + actual:
        yield from _of_items(expected.splitlines(), actual.splitlines(), path)
    else:
        yield _instead(expected, actual, path)


def is_alike(expected: Any, actual: Any) -> bool:
    """Whether both are equal, or at least look so."""
    return bool(expected == actual) or repr(expected) == repr(actual)


def _of_mappings(
    expected: Mapping[Any, Any], actual: Mapping[Any, Any], path: str
) -> Iterator[Difference]:
    for key in [*expected, *(key for key in actual if key not in expected)]:
        inner = f"{path}[{key!r}]"
        if key not in actual:
            yield _difference(f"{inner}: missing, was {_brief(expected[key])}", "less")
        elif key not in expected:
            yield _difference(f"{inner}: too much, {_brief(actual[key])}", "more")
        else:
            yield from differences(expected[key], actual[key], inner)


def _of_items(expected: Any, actual: Any, path: str) -> Iterator[Difference]:
    before, after = Counter(map(repr, expected)), Counter(map(repr, actual))
    more, less = after - before, before - after
    if more and less and _is_of_same_records(expected, actual):
        yield from _of_places(expected, actual, path)
        return
    if more:
        yield _of_many("too much", more, "more", path)
    if less:
        yield _of_many("missing", less, "less", path)
    if not more and not less:
        yield _in_another_order(expected, actual, path)


def _of_places(expected: Any, actual: Any, path: str) -> Iterator[Difference]:
    for index, (one, other) in enumerate(zip(expected, actual, strict=True)):
        yield from differences(one, other, f"{path}[{index}]")


def _of_many(what: str, items: Counter[str], direction: Direction, path: str) -> Difference:
    marks = frozenset(f"{path}: {what}: {item}" for item in items)
    return Difference(f"{_label(path)}{what}: {_listed(items)}", direction, marks)


def _in_another_order(expected: Any, actual: Any, path: str) -> Difference:
    pairs = enumerate(zip(expected, actual, strict=True))
    moved = next((index for index, (one, other) in pairs if repr(one) != repr(other)), None)
    if moved is None:
        return _instead(expected, actual, path)
    text = f"another order from item {moved} on: {_contrast(expected, actual)}"
    return _difference(f"{_label(path)}{text}", "other")


def _instead(expected: Any, actual: Any, path: str) -> Difference:
    text = f"{_label(path)}{_contrast(expected, actual)}"
    return _difference(text, _direction(expected, actual))


def _difference(text: str, direction: Direction) -> Difference:
    return Difference(text, direction, frozenset({text}))


def _is_many(value: Any) -> bool:
    return isinstance(value, Sequence | AbstractSet) and not isinstance(value, str | bytes)


def _is_of_same_records(expected: Any, actual: Any) -> bool:
    """Whether the two are lists of records, one for one, so that only fields are different."""
    if not isinstance(expected, Sequence) or not isinstance(actual, Sequence):
        return False
    pairs = zip(expected, actual, strict=False)
    return len(expected) == len(actual) and all(
        is_alike(one, other) or _shares_field(one, other) for one, other in pairs
    )


def _shares_field(one: Any, other: Any) -> bool:
    """Whether the two have a field alike, such as a key, so that they stand for the same thing."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return any(key in other and is_alike(value, other[key]) for key, value in one.items())
    return _is_record(one, other) and any(map(is_alike, one, other))


def _is_record(one: Any, other: Any) -> bool:
    return isinstance(one, tuple) and isinstance(other, tuple) and len(one) == len(other)


def _direction(expected: Any, actual: Any) -> Direction:
    if expected is None or actual is None:
        return "more" if expected is None else "less"
    if isinstance(expected, str | bytes):
        return "other"
    try:
        return "more" if actual > expected else "less"
    except TypeError:
        return "other"


def _listed(items: Counter[str]) -> str:
    shown = [
        _short(item) + (f" ({count} times)" if count > 1 else "") for item, count in items.items()
    ]
    rest = len(shown) - MANY
    return ", ".join(shown[:MANY]) + (f" and {rest} more" if rest > 0 else "")


def _label(path: str) -> str:
    return f"{path}: " if path else ""


def _brief(value: Any) -> str:
    return _short(repr(value))


def _contrast(expected: Any, actual: Any) -> str:
    """Both values; of long ones, what stands around the place where they begin to differ."""
    before, after = repr(expected), repr(actual)
    start = _common(before, after) - CONTEXT
    if start > 0 and max(len(before), len(after)) > WIDE:
        before, after = f"... {before[start:]}", f"... {after[start:]}"
    return f"{_short(after)} instead of {_short(before)}"


def _common(one: str, other: str) -> int:
    """How many characters both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((index for index, (a, b) in pairs if a != b), min(len(one), len(other)))


def _short(text: str) -> str:
    return text if len(text) <= WIDE else f"{text[: WIDE - 4]} ..."
