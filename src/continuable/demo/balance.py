"""What is in the table at the end, against what is in the file."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from continuable.demo.tables import Table
from continuable.demo.upload import data_of, rows_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """The rows of the file and the records of the table, counted and compared."""

    rows: int
    records: int
    different: int
    """Records without those that have the number of another."""
    inserts: int
    """More than there are records, where one was replaced."""
    is_alike: bool
    """Whether the table holds what is in the file, row for row."""

    @property
    def is_exact(self) -> bool:
        """Whether every row is there, and once."""
        return self.is_alike and self.records == self.rows

    @property
    def redone(self) -> int:
        """How many inserts there were too many."""
        return max(0, self.inserts - self.rows)

    def __str__(self) -> str:
        if self.is_exact:
            return f"All {self.rows:,} rows are in the table, each exactly once."
        told = f"{self.rows:,} rows in the file, {self.records:,} in the table"
        if self.records > self.different:
            return f"{told}: {self.records - self.different:,} too many."
        return f"{told}: they are not the same."


def balance(table: Table, path: Path) -> Balance:
    """Compare the table with the file, field by field."""
    records, different, inserts = table.counts()
    expected = enumerate(map(data_of, rows_of(path)), 1)
    return Balance(
        rows=sum(1 for _ in rows_of(path)),
        records=records,
        different=different,
        inserts=inserts,
        is_alike=all(one == other for one, other in zip_longest(table.rows(), expected)),
    )
