"""Durations and moments as people type them: `30s`, `10m`, `1h30m`, `2026-12-24 18:00`."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import click

SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdw])")
WHOLE = re.compile(rf"(?:{PART.pattern})+")
NUMBER = re.compile(r"\d+(?:\.\d+)?")


def seconds_of(text: str) -> float:
    """The seconds of `10m` or `1h30m`, a plain number being seconds; else `ValueError`."""
    compact = text.replace(" ", "").lower()
    if NUMBER.fullmatch(compact):
        seconds = float(compact)
    elif WHOLE.fullmatch(compact):
        seconds = sum(float(number) * SECONDS[unit] for number, unit in PART.findall(compact))
    else:
        raise ValueError(f"{text!r} is no duration: write 30s, 10m, 2h, 1d or 1h30m")
    if seconds > timedelta.max.total_seconds() / 1000:
        raise ValueError(f"{text!r} is too long")
    return seconds


class Duration(click.ParamType):  # type: ignore[type-arg]  # generic in newer releases only
    """A duration, in seconds."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read `value`, or fail with the ways to write it."""
        try:
            return seconds_of(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Moment(click.ParamType):  # type: ignore[type-arg]  # as above
    """A point in time; local time unless it says otherwise."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Read `value`, or fail with the ways to write it."""
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(str(value).strip())
            moment.timestamp()  # the year 1 cannot be told in seconds
            return moment
        except (ValueError, OverflowError):
            self.fail(
                f"{value!r} is no time: write 2026-12-24 18:00 (local time), "
                f"or 2026-12-24T18:00+01:00",
                param,
                ctx,
            )


DURATION = Duration()
MOMENT = Moment()
