"""`csv_rows`: the rows of a CSV file."""

import csv
import os
import re
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, overload

from continuable.errors import SourceError
from continuable.sources.protocol import Source
from continuable.sources.textfile import TextFile, TextLines

SEPARATOR = re.compile(rb"sep=([\x09\x20-\x7e])(\r\n|\r|\n|$)")
"""The first line of a file that names its delimiter."""
LONGEST_SEPARATOR = len(b"sep=;\r\n")


@overload
def csv_rows(
    path: str | os.PathLike[str],
    *,
    encoding: str = "utf-8",
    delimiter: str = ",",
    quotechar: str | None = '"',
    escapechar: str | None = None,
    doublequote: bool = True,
    skipinitialspace: bool = False,
    fieldnames: Sequence[str] | None = None,
    skip_lines: int = 0,
    restval: str | None = None,
    restkey: None = None,
) -> Source[dict[str, str]]: ...
@overload
def csv_rows(
    path: str | os.PathLike[str],
    *,
    encoding: str = "utf-8",
    delimiter: str = ",",
    quotechar: str | None = '"',
    escapechar: str | None = None,
    doublequote: bool = True,
    skipinitialspace: bool = False,
    fieldnames: Sequence[str] | None = None,
    skip_lines: int = 0,
    restval: str | None = None,
    restkey: str,
) -> Source[dict[str, Any]]: ...
def csv_rows(
    path: str | os.PathLike[str],
    *,
    encoding: str = "utf-8",
    delimiter: str = ",",
    quotechar: str | None = '"',
    escapechar: str | None = None,
    doublequote: bool = True,
    skipinitialspace: bool = False,
    fieldnames: Sequence[str] | None = None,
    skip_lines: int = 0,
    restval: str | None = None,
    restkey: str | None = None,
) -> Source[dict[str, Any]]:
    r"""The rows of the CSV file at `path`, each a dict by the names in the header.

    Rows are those of `csv.DictReader`: quoted line ends and quotes, any of `\n`, `\r\n` and
    `\r`, blank lines skipped. With `fieldnames` the file has no header, its first line is a row.
    With a `quotechar` of `None` quotes are ordinary characters. `skip_lines` are skipped at the
    beginning; a first line `sep=;` then names the delimiter, as for Excel.

    It differs where a job would go on with wrong data: a row that has more or fewer fields than
    the header is a `SourceError`, unless `restkey` names the key for a list of the surplus, and
    `restval` the value for what is missing. So is a header with a name twice or without one, and a
    quote that is never closed. Blank lines before the header are skipped too.

    The cursor is the byte offset behind a row: a resume reads the header, and seeks.

    `SourceError`: also if the encoding does not keep ASCII as it is (UTF-16), or cannot decode
    the bytes. `SourceChangedError`: the cursor lies beyond the end of the file.
    """
    dialect = {
        "delimiter": delimiter,
        "quotechar": quotechar,
        "escapechar": escapechar,
        "doublequote": doublequote,
        "skipinitialspace": skipinitialspace,
        "quoting": csv.QUOTE_NONE if quotechar is None else csv.QUOTE_MINIMAL,
    }
    return CsvRows(
        path,
        encoding,
        dialect=dialect,
        fieldnames=fieldnames,
        skip_lines=skip_lines,
        restval=restval,
        restkey=restkey,
    )


class CsvRows(TextFile):
    """A CSV file as a source of rows."""

    function = "csv_rows"

    def __init__(
        self,
        path: str | os.PathLike[str],
        encoding: str,
        *,
        dialect: dict[str, Any],
        fieldnames: Sequence[str] | None,
        skip_lines: int,
        restval: str | None,
        restkey: str | None,
    ) -> None:
        super().__init__(path, encoding)
        csv.reader([], **dialect)  # a wrong delimiter is a TypeError here, not in the job
        self._dialect = dialect
        self._fieldnames = None if fieldnames is None else list(fieldnames)
        self._skip_lines = skip_lines
        self._refuse_namesakes(self._fieldnames or [])
        self._restval = restval
        self._restkey = restkey

    def items(self, cursor: Any) -> Iterator[tuple[dict[str, Any], int]]:
        """Each row from the byte offset `cursor` on, with the offset behind it."""
        with open(self.path, "rb") as file:
            dialect, start = self._beginning(file)
            names, first = self._header(file, dialect, start)
            text = TextLines(self, file, self.offset(file, cursor, first))
            width = len(names)
            row_start = text.offset
            try:
                for row in csv.reader(text, **dialect):
                    if text.has_ended:
                        raise self._unclosed(row_start)
                    if len(row) == width:
                        yield dict(zip(names, row, strict=False)), text.offset
                    elif row:
                        yield self._ragged(names, row, row_start), text.offset
                    row_start = text.offset
            except csv.Error as error:
                raise self._unreadable(row_start, error) from error

    def total(self) -> int | None:
        """The number of rows; `None` in a file of more than 64 MiB, or one that is not CSV."""
        with open(self.path, "rb") as file:
            if not self.is_quick_to_count(file):
                return None
            dialect, start = self._beginning(file)
            text = TextLines(self, file, start, errors="replace")
            try:
                records = sum(1 for row in csv.reader(text, **dialect) if row)
            except csv.Error:
                return None
        return max(0, records - (self._fieldnames is None))

    def _beginning(self, file: BinaryIO) -> tuple[dict[str, Any], int]:
        """The dialect of the file, and the offset of what follows the lines to be skipped.

        A first line `sep=;`, as Excel reads and writes it, names the delimiter.
        """
        text = TextLines(self, file, self.text_start(file), errors="replace")
        for _ in zip(range(self._skip_lines), text, strict=False):
            pass
        start = text.offset
        file.seek(start)
        named = SEPARATOR.match(file.readline(LONGEST_SEPARATOR))
        if named is None:
            return self._dialect, start
        return {**self._dialect, "delimiter": named[1].decode()}, start + named.end()

    def _header(self, file: BinaryIO, dialect: dict[str, Any], start: int) -> tuple[list[str], int]:
        """The names of the fields, and the offset of the first row."""
        if self._fieldnames is not None:
            return self._fieldnames, start
        text = TextLines(self, file, start)
        try:
            names = next(filter(None, csv.reader(text, **dialect)), [])
        except csv.Error as error:
            raise self._unreadable(start, error) from error
        if text.has_ended and names:
            raise self._unclosed(start)
        self._refuse_namesakes(names)
        return names, text.offset

    def _refuse_namesakes(self, names: Sequence[str]) -> None:
        twice = sorted({name for name in names if names.count(name) > 1 or not name})
        if twice:
            raise SourceError(
                f"{self!r}: the header has fields without a name, or several of one name "
                f"({', '.join(map(repr, twice))} in {', '.join(map(repr, names))}), of which a row "
                f"could keep one only. Name them yourself, and skip the header: "
                f"fieldnames=[...], skip_lines={self._skip_lines + 1}"
            )

    def _ragged(self, names: list[str], row: list[str], row_start: int) -> dict[str, Any]:
        surplus = len(row) > len(names)
        if (self._restkey if surplus else self._restval) is None:
            raise SourceError(
                f"{self!r}: the row at byte {row_start} has {len(row)} fields, the header has "
                f"{len(names)}. To accept such rows give "
                + ("restkey= for the surplus" if surplus else "restval= for what is missing")
            )
        fields: dict[str, Any] = dict(zip(names, row, strict=False))
        if surplus:
            fields[str(self._restkey)] = row[len(names) :]
        else:
            fields.update(dict.fromkeys(names[len(row) :], self._restval))
        return fields

    def _unclosed(self, row_start: int) -> SourceError:
        return SourceError(
            f"{self!r}: the row at byte {row_start} has a quote that is never closed, so that it "
            f"takes in the rest of the file: mend it, or read quotes as characters with "
            f"quotechar=None"
        )

    def _unreadable(self, row_start: int, error: csv.Error) -> SourceError:
        return SourceError(f"{self!r}: the row at byte {row_start} cannot be read: {error}")
