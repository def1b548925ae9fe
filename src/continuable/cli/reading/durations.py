"""Durations and moments as people type them: `30s`, `10m`, `1h30m`, `2026-12-24 18:00`."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import click

SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdw])")
WHOLE = re.compile(rf"(?:{PART.pattern})+")
NUMBER = re.compile(r"\d+(?:\.\d+)?")


def duration(text: str) -> float:
    """The seconds of `10m` or `1h30m`; a plain number means seconds. The type of an option."""
    compact = text.replace(" ", "").lower()
    if NUMBER.fullmatch(compact):
        seconds = float(compact)
    elif WHOLE.fullmatch(compact):
        seconds = sum(float(number) * SECONDS[unit] for number, unit in PART.findall(compact))
    else:
        raise click.BadParameter(f"{text!r} is no duration: write 30s, 10m, 2h, 1d or 1h30m")
    if seconds > timedelta.max.total_seconds() / 1000:
        raise click.BadParameter(f"{text!r} is too long")
    return seconds


def moment(text: str) -> datetime:
    """A point in time; local time unless it says otherwise. The type of an option."""
    try:
        read = datetime.fromisoformat(text.strip())
        read.timestamp()  # fails for the year 1
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"{text!r} is no time: write 2026-12-24 18:00 (local time), or 2026-12-24T18:00+01:00"
        ) from None
    return read
