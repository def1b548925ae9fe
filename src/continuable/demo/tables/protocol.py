"""What the demo wants of a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol

Record = tuple[int, str, bytes]
"""The number of a row, its fields, and what the work on it came to."""


class Table(Protocol):
    """The table `records`, on a connection of its own."""

    @property
    def connection(self) -> Any:
        """What `step.transaction` takes."""
        ...

    def transaction(self) -> AbstractContextManager[object]:
        """A transaction without a cursor in it."""
        ...

    def insert(self, records: Iterable[Record]) -> None:
        """Add records, whatever is there already; in a transaction."""
        ...

    def put(self, key: str, record: Record) -> None:
        """Add a record, or replace the one under that key; in a transaction."""
        ...

    def note_import(self, file: str) -> int:
        """Note that a file is imported; the number of records. In a transaction."""
        ...

    def newest(self) -> int:
        """The number of the row that was written last; 0: there is none."""
        ...

    def counts(self) -> tuple[int, int, int]:
        """How many records there are, how many different rows, and how many were ever written."""
        ...

    def rows(self) -> Iterator[tuple[int, str]]:
        """Number and fields of all records, by number."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...
