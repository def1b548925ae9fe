"""The SQL of the embedded queue: that of every store, on its own table, and what is in `sql/`."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from continuable.progress.sqlite import DIALECT

JOBS = dataclasses.replace(
    DIALECT, table="continuable_jobs", folder=Path(__file__).with_name("sql")
)


def statement(name: str) -> str:
    """The text of `sql/<name>.sql`."""
    return JOBS.statement(name)
