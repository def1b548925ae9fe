"""Jobs, counts and times in words, the same in every verb."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from continuable.model.info import JobInfo
from continuable.model.states import ON_QUEUE, State

MINUTE, HOUR, DAY = 60, 3600, 86400
LONGEST_CURSOR = 40


def title(job: JobInfo) -> str:
    """`process_import[import-42]`, as in the log."""
    return f"{short_name(job.name)}[{job.id}]"


def short_name(name: str) -> str:
    """The last part of a job's name."""
    return name.rpartition(".")[2]


def standing(job: JobInfo, now: datetime) -> str:
    """The state: `interrupted (stopping), resumes in 5 s`."""
    words = str(job.state)
    if job.state is State.INTERRUPTED and job.reason:
        words += f" ({job.reason})"
    if job.run_at is not None and job.state in ON_QUEUE:
        verb = "starts" if job.state is State.WAITING else "resumes"
        left = (job.run_at - now).total_seconds()
        words += f", {verb} in {span(left)}" if left > 0 else f", {verb} now"
    return words


def fraction(job: JobInfo) -> float | None:
    """The share of the step's items that are done, from 0 to 1.

    `None` without a total, and with a total that the count has passed.
    """
    if job.step is None or not job.total or not 0 <= job.done <= job.total:
        return None
    return job.done / job.total


def percentage(job: JobInfo) -> str:
    """`63 %`, rounded down: only what is done is 100 %. Empty without a total."""
    known = fraction(job)
    return "" if known is None else f"{int(known * 100)} %"


def count(job: JobInfo) -> str:
    """`51,000 of 80,000`; `51,000 done` without a total; empty without a count."""
    if job.step is None:
        return ""
    if job.total is not None:
        return f"{job.done:,} of {job.total:,}"
    return f"{job.done:,} done" if job.done else ""


def cursor(job: JobInfo) -> str:
    """`cursor 51001`, cut where it is long; empty without a cursor."""
    return f"cursor {brief(job.cursor)}" if job.step and job.cursor is not None else ""


def brief(plain: Any) -> str:
    """A serialised value in at most `LONGEST_CURSOR` characters."""
    text = json.dumps(plain, ensure_ascii=False)
    return text if len(text) <= LONGEST_CURSOR else f"{text[: LONGEST_CURSOR - 1]}…"


def resumptions(job: JobInfo) -> str:
    """`2 resumptions`; empty for 0."""
    return plural(job.resumptions, "resumption") if job.resumptions else ""


def place(job: JobInfo) -> str:
    """The position of the job: `at 'process_records', cursor 51001`."""
    if job.step:
        return ", ".join(filter(None, (f"at {job.step!r}", cursor(job))))
    return f"after {job.completed[-1]!r}" if job.completed else "at its beginning"


def per_second(rate: float | None) -> str:
    """`2,134/s`, `0.4/s`; empty without a rate."""
    if rate is None:
        return ""
    return f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s"  # noqa: PLR2004 - two digits


def span(seconds: float) -> str:
    """A duration in seconds as `5 s`, `3 min 20 s`, `2 h 5 min` or `3 d 4 h`."""
    whole = max(0, round(seconds))
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return joined(whole // MINUTE, "min", whole % MINUTE, "s")
    if whole < DAY:
        return joined(whole // HOUR, "h", whole % HOUR // MINUTE, "min")
    return joined(whole // DAY, "d", whole % DAY // HOUR, "h")


def joined(large: int, large_unit: str, small: int, small_unit: str) -> str:
    """Two units; the small one is left out at 0."""
    words = f"{large:,} {large_unit}"
    return f"{words} {small} {small_unit}" if small else words


def ago(moment: datetime, now: datetime) -> str:
    """`3 min 20 s ago`."""
    return f"{span((now - moment).total_seconds())} ago"


def local(moment: datetime) -> str:
    """A moment in local time."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"


def plural(number: int, noun: str) -> str:
    """`1 job`, `2 jobs`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
