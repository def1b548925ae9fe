"""Files that are no text: recognised by their first bytes, and refused by what they are."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Any

from continuable.errors import SourceError

BEGINNINGS = {
    rb"\x1f\x8b": "a gzip file: unpack it first",
    rb"BZh[1-9]1AY&SY": "a bzip2 file: unpack it first",
    rb"\xfd7zXZ\x00": "an xz file: unpack it first",
    rb"\x28\xb5\x2f\xfd": "a zstd file: unpack it first",
    rb"PK\x03\x04": "a zip file, as .xlsx and .ods are: unpack it, or save the sheet as CSV",
    rb"\xd0\xcf\x11\xe0": "a workbook of old Excel's: save the sheet as CSV",
    rb"PAR1[\x00-\x1f]": "a Parquet file: convert it to CSV",
    rb"SQLite format 3\x00": "an SQLite database: iterate keyset(...) of its rows",
    rb"%PDF-[12]\.": "a PDF file",
    rb"\xff\xfe": "a file in UTF-16 or UTF-32: convert it to utf-8",
    rb"\xfe\xff": "a file in UTF-16: convert it to utf-8",
    rb"\x00\x00\xfe\xff": "a file in UTF-32: convert it to utf-8",
}
"""Patterns of the first bytes."""
LOOKED_AT = 4096
"""Bytes at the beginning of a file."""


def path_given(function: str, path: Any) -> str:
    """The path that a user gives; `SourceError` for a file object and for a url."""
    if hasattr(path, "read"):
        name = getattr(path, "name", None)
        instead = f"{function}({name!r})" if isinstance(name, str) else "save it, and give its path"
        raise SourceError(
            f"{function}() takes a path, not an open {type(path).__name__}, which cannot be opened "
            f"again by a resume: {instead}"
        )
    text: str = os.fsdecode(os.fspath(path))
    if "://" in text:
        raise SourceError(f"{function}() takes a path, not a url: download {text!r} first")
    return text


def refuse_other_kinds(source: object, path: str) -> None:
    """Raise `SourceError` unless the file may be a text file."""
    if not stat.S_ISREG(Path(path).stat().st_mode):
        raise SourceError(
            f"{source!r} is no regular file: what comes out of a pipe or a device cannot be read "
            f"again. Save it to a file first"
        )
    with open(path, "rb") as file:
        start = file.read(LOOKED_AT)
    for beginning, what in BEGINNINGS.items():
        if re.match(beginning, start):
            raise SourceError(f"{source!r} is {what}")
    if b"\x00" in start:
        raise SourceError(
            f"{source!r} has a NUL at byte {start.index(0)}, as text in UTF-16 has, and files that "
            f"were padded or are no text: convert or mend it first"
        )
