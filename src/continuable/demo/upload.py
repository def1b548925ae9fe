"""The import itself: a CSV file, its rows as records, and the balance of both at the end."""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import zip_longest
from pathlib import Path

from continuable.demo.table import Record, Table
from continuable.sources import csv_rows

ROUNDS = int(os.environ.get("CONTINUABLE_DEMO_ROUNDS", "50"))
"""Rounds of a hash for each row: they stand for the work of a real import."""

Row = dict[str, str]


class Upload:
    """A CSV file whose rows go to the table `records`."""

    def __init__(self, path: Path, table: Table) -> None:
        self.path = path
        self.table = table

    def validate(self) -> int:
        """The number of rows; `SourceError` for a bad one, before anything is written."""
        return sum(1 for _ in csv_rows(self.path).items(None))

    def finalize(self) -> int:
        """Note that the file is imported, and return the number of records."""
        with self.table.transaction():
            return self.table.note_import(self.path.name)


def record(number: int, row: Row) -> Record:
    """A row as a record of the table."""
    data = data_of(row)
    return number, data, hashlib.pbkdf2_hmac("sha256", data.encode(), b"demo", ROUNDS).hex()


def data_of(row: Row) -> str:
    """The fields of a row as JSON."""
    return json.dumps(row, ensure_ascii=False)


def rows_of(path: Path) -> Iterator[Row]:
    """The rows of a CSV file, from its beginning, as Python's own `csv` reads them."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)


def make_csv(path: Path, rows: int) -> None:
    """Write a file of orders, with line ends within quotes and characters beyond ASCII."""
    notes = ("", "", "gift", "deliver to the neighbour,\nif nobody is in", "zweite Tür, «Café»")
    new_year = date(2026, 1, 1)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["order", "placed_on", "customer", "amount", "note"])
        for number in range(1, rows + 1):
            order, placed_on = f"A-{number:06d}", new_year + timedelta(days=number % 365)
            customer = f"customer{number * 7919 % 10_007}@example.com"
            amount, note = f"{number * 37 % 50_000 / 100:.2f}", notes[number % len(notes)]
            writer.writerow([order, placed_on, customer, amount, note])


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """The rows of the file and the records of the table, counted and compared."""

    rows: int
    records: int
    different: int
    """The number of different rows among the records."""
    written: int
    """The number of writes: more than records where some were replaced."""
    is_alike: bool
    """Are the records the rows of the file, field by field and in order?"""

    @property
    def is_exact(self) -> bool:
        """Is every row in the table exactly once?"""
        return self.is_alike and self.records == self.rows

    @property
    def redone(self) -> int:
        """The number of writes beyond one for each row."""
        return max(0, self.written - self.rows)

    def __str__(self) -> str:
        if self.is_exact:
            return f"All {self.rows:,} rows are in the table, each exactly once."
        told = f"{self.rows:,} rows in the file, {self.records:,} in the table"
        if self.records > self.different:
            return f"{told}: {self.records - self.different:,} too many."
        return f"{told}: they are not the same."


def balance(table: Table, path: Path) -> Balance:
    """Compare the table with the file, field by field."""
    records, different, written = table.counts()
    expected = enumerate(map(data_of, rows_of(path)), 1)
    return Balance(
        rows=sum(1 for _ in rows_of(path)),
        records=records,
        different=different,
        written=written,
        is_alike=all(one == other for one, other in zip_longest(table.rows(), expected)),
    )
