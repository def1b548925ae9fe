"""What every queue and store can hold, and every terminal show: times, priorities and names."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import Any

# Both a day inside of what a datetime holds, so that every time zone can show them.
EARLIEST = datetime(1, 1, 2, tzinfo=UTC).timestamp()
LATEST = datetime(9999, 12, 30, tzinfo=UTC).timestamp()
LARGEST_PRIORITY = 2**31 - 1
NOT_FOR_NAMES = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Control characters and line breaks, which a terminal obeys, and lone surrogates, which are no
characters."""
ID = re.compile(r"[A-Za-z0-9_-]+")
"""What every engine takes as the id of a job, and every shell and URL too."""
LONGEST_ID = 191
"""Characters: what a key may have on every database."""


def check_wait(what: str, seconds: Any) -> None:
    """`TypeError` or `ValueError` for what is no time to wait."""
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        raise TypeError(f"{what} is a number of seconds, not {seconds!r}")
    if not 0 <= seconds <= LATEST - time.time():
        raise ValueError(
            f"{what} is a number of seconds from now, 0 or more and not beyond the year 9999, "
            f"not {_brief(seconds)}"
        )


def check_time(what: str, at: Any) -> None:
    """`TypeError` or `ValueError` for a time that not every queue can hold."""
    if not isinstance(at, datetime):
        raise TypeError(f"{what} is a datetime, not {at!r}")
    try:
        is_held = EARLIEST <= at.timestamp() <= LATEST
    except (OverflowError, OSError, ValueError):  # of a naive one, in local time
        is_held = False
    if not is_held:
        raise ValueError(f"{what} is a time that can be kept, not {at!r}")


def check_priority(what: str, priority: Any) -> None:
    """`TypeError` or `ValueError` for what is no integer of 32 bits."""
    if not isinstance(priority, int) or isinstance(priority, bool):
        raise TypeError(f"{what} is an integer, not {priority!r}")
    if not -LARGEST_PRIORITY - 1 <= priority <= LARGEST_PRIORITY:
        raise ValueError(f"{what} is an integer of at most 32 bits, not {_brief(priority)}")


def check_name(what: str, name: Any) -> None:
    """`TypeError` or `ValueError` for text that is no name of anything."""
    if not isinstance(name, str):
        raise TypeError(f"{what} is text, not {name!r}")
    if not name:
        raise ValueError(f"{what} cannot be empty")
    if NOT_FOR_NAMES.search(name):
        raise ValueError(
            f"{what} has no control characters, line breaks or lone surrogates: {name!a}"
        )


def check_id(what: str, job_id: Any) -> None:
    """`TypeError` or `ValueError` for an id of a job that not every engine takes."""
    check_name(what, job_id)
    if not ID.fullmatch(job_id):
        raise ValueError(
            f"{what} is made of the letters a to z and A to Z, digits, hyphens and underscores, "
            f"so that every engine takes it: {job_id!a}"
        )
    if len(job_id) > LONGEST_ID:
        raise ValueError(f"{what} has at most {LONGEST_ID} characters, not {len(job_id)}")


def _brief(number: float) -> str:
    try:
        return repr(number)
    except ValueError:  # Python refuses to write very long integers in decimal
        return "a number so large"
