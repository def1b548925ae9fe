"""What is imported, and where to: a CSV file and a table. Nothing here knows of continuations."""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from continuable.demo.tables import Record, Table
from continuable.sources import csv_rows

ROUNDS = int(os.environ.get("CONTINUABLE_DEMO_ROUNDS", "50"))
"""How hard a row is: rounds of a hash that stand for the work of a real import."""

Row = dict[str, str]


class Upload:
    """A CSV file whose rows go to the table `records`."""

    def __init__(self, path: Path, table: Table) -> None:
        self.path = path
        self.table = table

    def validate(self) -> int:
        """The number of rows. One that cannot be read is an error before anything is written."""
        return sum(1 for _ in csv_rows(self.path).items(None))

    def finalize(self) -> int:
        """Note that the file is imported; the number of its records."""
        with self.table.transaction():
            return self.table.note_import(self.path.name)


def record(number: int, row: Row) -> Record:
    """A row as it goes into the table."""
    data = data_of(row)
    return number, data, hashlib.pbkdf2_hmac("sha256", data.encode(), b"demo", ROUNDS)


def data_of(row: Row) -> str:
    """The fields of a row."""
    return json.dumps(row, ensure_ascii=False)


def rows_of(path: Path) -> Iterator[Row]:
    """The rows of a CSV file, from its beginning, as Python's own `csv` reads them."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)


def make_csv(path: Path, rows: int) -> None:
    """Write a file of orders: with line ends within quotes, and more than ASCII."""
    notes = ("", "", "gift", "deliver to the neighbour,\nif nobody is in", "zweite Tür, «Café»")
    new_year = date(2026, 1, 1)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["order", "placed_on", "customer", "amount", "note"])
        writer.writerows(
            (
                f"A-{number:06d}",
                new_year + timedelta(days=number % 365),
                f"customer{number * 7919 % 10_007}@example.com",
                f"{number * 37 % 50_000 / 100:.2f}",
                notes[number % len(notes)],
            )
            for number in range(1, rows + 1)
        )
