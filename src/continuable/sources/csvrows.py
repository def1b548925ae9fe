"""`csv_rows`: the rows of a CSV file."""

import csv
import os
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, overload

from continuable.errors import SourceError
from continuable.sources.protocol import Source
from continuable.sources.textfile import TextFile, TextLines


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
    restval: str | None = None,
    restkey: str | None = None,
) -> Source[dict[str, Any]]:
    r"""The rows of the CSV file at `path`, each a dict by the names in the header.

    Rows are those of `csv.DictReader`: quoted line ends and quotes, any of `\n`, `\r\n` and
    `\r`, blank lines skipped. With `fieldnames` the file has no header, its first line is a row.
    With a `quotechar` of `None` quotes are ordinary characters.

    It differs where a job would go on with wrong data: a row that has more or fewer fields than
    the header is a `SourceError`, unless `restkey` names the key for a list of the surplus, and
    `restval` the value for what is missing. Blank lines before the header are skipped too.

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
        restval: str | None,
        restkey: str | None,
    ) -> None:
        super().__init__(path, encoding)
        csv.reader([], **dialect)  # a wrong delimiter is a TypeError here, not in the job
        self._dialect = dialect
        self._fieldnames = None if fieldnames is None else list(fieldnames)
        self._restval = restval
        self._restkey = restkey

    def items(self, cursor: Any) -> Iterator[tuple[dict[str, Any], int]]:
        """Each row from the byte offset `cursor` on, with the offset behind it."""
        with open(self.path, "rb") as file:
            names, first = self._header(file)
            text = TextLines(self, file, self.offset(file, cursor, first))
            width = len(names)
            row_start = text.offset
            try:
                for row in csv.reader(text, **self._dialect):
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
            text = TextLines(self, file, self.text_start(file), errors="replace")
            try:
                records = sum(1 for row in csv.reader(text, **self._dialect) if row)
            except csv.Error:
                return None
        return max(0, records - (self._fieldnames is None))

    def _header(self, file: BinaryIO) -> tuple[list[str], int]:
        """The names of the fields, and the offset of the first row."""
        start = self.text_start(file)
        if self._fieldnames is not None:
            return self._fieldnames, start
        text = TextLines(self, file, start)
        try:
            names = next(filter(None, csv.reader(text, **self._dialect)), [])
        except csv.Error as error:
            raise self._unreadable(start, error) from error
        return names, text.offset

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

    def _unreadable(self, row_start: int, error: csv.Error) -> SourceError:
        return SourceError(f"{self!r}: the row at byte {row_start} cannot be read: {error}")
