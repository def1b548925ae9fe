"""Files that are no text are refused by what they are, and never read as garbage."""

import bz2
import gzip
import io
import lzma
import os
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from continuable import App
from continuable.errors import SourceError
from continuable.sources import csv_rows, jsonl, lines, nested
from continuable.testing import TestQueue

TEXT = b"id,name\n1,one\n"


def zipped(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("orders.csv", TEXT)


def database(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE orders (id)")
    connection.close()


KINDS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "gzip": (lambda path: path.write_bytes(gzip.compress(TEXT)), "a gzip file: unpack it first"),
    "bzip2": (lambda path: path.write_bytes(bz2.compress(TEXT)), "a bzip2 file: unpack"),
    "xz": (lambda path: path.write_bytes(lzma.compress(TEXT)), "an xz file: unpack"),
    "zip": (zipped, r"a zip file, as .xlsx and .ods are: .* save the sheet as CSV"),
    "sqlite": (database, r"an SQLite database: iterate keyset\(...\)"),
    "utf-16": (
        lambda path: path.write_text("id,name", "utf-16"),
        "in UTF-16.* convert it to utf-8",
    ),
    "no mark": (
        lambda path: path.write_text("id,name", "utf-16-le"),
        "a NUL at byte 1, as text in",
    ),
    "padded": (lambda path: path.write_bytes(TEXT + bytes(512)), "a NUL at byte 14"),
    "a pipe": (os.mkfifo, "no regular file: .* Save it to a file first"),
    "a folder": (Path.mkdir, "no regular file"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("source", [csv_rows, lines, jsonl])
def test_a_file_that_is_no_text_fails_the_job_before_its_first_item(
    tmp_path: Path, kind: str, source: Any
) -> None:
    """With what it is, and what to do."""
    make, error = KINDS[kind]
    path = tmp_path / "orders.csv"
    make(path)
    app, met = App(queue=TestQueue()), []

    @app.job
    def read(job: Any) -> None:
        @job.step
        def each(step: Any) -> None:
            met.extend(step.iterate(source(path)))

    read.enqueue()
    with pytest.raises(SourceError, match=rf"{source.__name__}\(.*orders.csv.*{error}"):
        app.queue.drain()
    with pytest.raises(SourceError, match=error):
        list(nested([path], source).items(None))
    assert met == []


def test_a_url_is_no_path() -> None:
    """Nothing is downloaded behind one's back."""
    with pytest.raises(SourceError, match=r"lines\(\) takes a path, not a url: download 'https://"):
        lines("https://example.com/orders.csv")


def test_an_open_file_is_no_path(tmp_path: Path) -> None:
    """A resume could not open it again."""
    path = tmp_path / "orders.csv"
    path.write_bytes(TEXT)
    with path.open() as file, pytest.raises(SourceError, match=r"csv_rows\('.*orders.csv'\)$"):
        csv_rows(file)  # type: ignore[arg-type]
    with pytest.raises(SourceError, match=r"not an open StringIO.*save it, and give its path"):
        csv_rows(io.StringIO("id"))  # type: ignore[arg-type]
