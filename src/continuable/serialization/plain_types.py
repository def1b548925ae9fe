"""The plain form of built-in types: one function a type and direction."""

from __future__ import annotations

import base64
import json
import math
import reprlib
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta, timezone
from json.encoder import c_make_encoder, encode_basestring_ascii  # type: ignore[attr-defined]
from typing import Any

Recurse = Callable[[Any], Any]
"""The codec's way with a value inside of a value."""
Dumper = Callable[[Any, Recurse], Any]
Loader = Callable[[dict[str, Any], Recurse], Any]

TAG = "$"
AS_THEY_ARE = frozenset({type(None), bool, str})

# No setting of Python's (`sys.set_int_max_str_digits`) forbids decimal integers this short.
_LARGEST_PLAIN_INT = 10**600

_encoder = json.JSONEncoder(separators=(",", ":"), allow_nan=False)
# What `_encoder` makes anew at each call, where Python has it in C; nothing plain contains itself.
_parts = c_make_encoder and c_make_encoder(
    None,
    _encoder.default,
    encode_basestring_ascii,
    None,
    ":",
    ",",
    False,  # noqa: FBT003 - keys are not sorted, none is skipped,
    False,  # noqa: FBT003
    False,  # noqa: FBT003 - and what is no number is an error
)
_brief = reprlib.Repr()
_brief.maxstring = _brief.maxother = _brief.maxlong = 80


class UnkeepableError(Exception):
    """A value has no plain form; the codec says of what it is part."""


def compact(plain: Any) -> str:
    """Plain data as JSON without blanks."""
    return "".join(_parts(plain, 0)) if _parts else _encoder.encode(plain)


def brief(value: Any) -> str:
    """The beginning of its repr, whatever that does."""
    try:
        return _brief.repr(value)
    except Exception:  # noqa: BLE001 - a user's repr may raise anything, and the message matters more
        return "..."


def type_of(value: Any) -> str:
    """The full name of the type of `value`."""
    kind = type(value)
    return f"{kind.__module__}.{kind.__qualname__}"


# --- from a value


def _dump_int(value: int, _: Recurse) -> Any:
    if -_LARGEST_PLAIN_INT < value < _LARGEST_PLAIN_INT:
        return value
    return {TAG: "int", "v": hex(value)}


def _dump_float(value: float, _: Recurse) -> Any:
    return value if math.isfinite(value) else {TAG: "float", "v": repr(value)}


def _dump_dict(value: dict[Any, Any], plain: Recurse) -> Any:
    if TAG not in value and all(type(key) is str for key in value):
        return {key: plain(item) for key, item in value.items()}
    return {TAG: "dict", "v": [[plain(key), plain(item)] for key, item in value.items()]}


def _dump_set(tag: str) -> Dumper:
    # In one order, whatever the hashes are today: progress is compared in its plain form.
    def dump(value: Iterable[Any], plain: Recurse) -> Any:
        return {TAG: tag, "v": sorted(map(plain, value), key=compact)}

    return dump


def _dump_clock(tag: str) -> Dumper:
    def dump(value: datetime | time, _: Recurse) -> Any:
        zone = value.tzinfo
        if zone is None or type(zone) is timezone:
            plain = {TAG: tag, "v": value.isoformat()}
        elif type(zone).__name__ == "ZoneInfo" and getattr(zone, "key", None) is not None:
            naive = value.replace(tzinfo=None).isoformat()
            plain = {TAG: tag, "v": naive, "zone": zone.key}  # type: ignore[attr-defined]
        else:
            message = f"a {tag} in a {type_of(zone)}; use datetime.timezone or ZoneInfo(key)"
            raise UnkeepableError(message)
        return {**plain, "fold": 1} if value.fold else plain

    return dump


def _dump_timedelta(value: timedelta, _: Recurse) -> Any:
    return {TAG: "timedelta", "v": [value.days, value.seconds, value.microseconds]}


def tagged(tag: str, text: Callable[[Any], str]) -> Dumper:
    """The way down of a type that has a text for each value."""
    return lambda value, _: {TAG: tag, "v": text(value)}


DUMPERS: dict[type, Dumper] = {
    int: _dump_int,
    float: _dump_float,
    bytes: tagged("bytes", lambda value: base64.b64encode(value).decode()),
    tuple: lambda value, plain: {TAG: "tuple", "v": [plain(item) for item in value]},
    dict: _dump_dict,
    set: _dump_set("set"),
    frozenset: _dump_set("frozenset"),
    date: tagged("date", date.isoformat),
    datetime: _dump_clock("datetime"),
    time: _dump_clock("time"),
    timedelta: _dump_timedelta,
}


# --- to a value


def _load_clock(kind: type[datetime | time]) -> Loader:
    def load(plain: dict[str, Any], _: Recurse) -> datetime | time:
        value = kind.fromisoformat(plain["v"])
        if "zone" in plain:
            from zoneinfo import ZoneInfo

            value = value.replace(tzinfo=ZoneInfo(plain["zone"]))
        return value.replace(fold=plain.get("fold", 0))

    return load


def from_text(load: Callable[[Any], Any]) -> Loader:
    """The way back."""
    return lambda plain, _: load(plain["v"])


LOADERS: dict[str, Loader] = {
    "int": from_text(lambda text: int(text, 16)),
    "float": from_text(float),
    "bytes": from_text(lambda text: base64.b64decode(text, validate=True)),
    "tuple": lambda plain, value: tuple([value(item) for item in plain["v"]]),
    "dict": lambda plain, value: {value(key): value(item) for key, item in plain["v"]},
    "set": lambda plain, value: {value(item) for item in plain["v"]},
    "frozenset": lambda plain, value: frozenset([value(item) for item in plain["v"]]),
    "date": from_text(date.fromisoformat),
    "datetime": _load_clock(datetime),
    "time": _load_clock(time),
    "timedelta": from_text(lambda parts: timedelta(*parts)),
}
