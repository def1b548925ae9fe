"""`jsonl`: the values of a JSON Lines file."""

import json
import os
from collections.abc import Iterator
from typing import Any

from continuable.errors import SourceError
from continuable.sources.protocol import Source
from continuable.sources.textfile import TextFile, TextLines


def jsonl(path: str | os.PathLike[str], *, encoding: str = "utf-8") -> Source[Any]:
    """The parsed JSON value of each line in the file at `path`; blank lines are skipped.

    The cursor is the byte offset behind a line; a resume seeks there.

    `SourceError`: a line is not JSON (the message names its byte offset), the encoding does not
    keep ASCII as it is (UTF-16), or cannot decode the bytes.
    `SourceChangedError`: the cursor lies beyond the end of the file.
    """
    return JsonLines(path, encoding)


class JsonLines(TextFile):
    """A JSON Lines file as a source of values."""

    function = "jsonl"

    def items(self, cursor: Any) -> Iterator[tuple[Any, int]]:
        """Each value from the byte offset `cursor` on, with the offset behind its line."""
        with open(self.path, "rb") as file:
            text = TextLines(self, file, self.offset(file, cursor, self.text_start(file)))
            line_start = text.offset
            for line in text:
                if not _is_blank(line):
                    yield self._parse(line, line_start), text.offset
                line_start = text.offset

    def total(self) -> int | None:
        """The number of lines that are not blank; `None` in a file of more than 64 MiB."""
        with open(self.path, "rb") as file:
            if not self.is_quick_to_count(file):
                return None
            text = TextLines(self, file, self.text_start(file), errors="replace")
            return sum(not _is_blank(line) for line in text)

    def _parse(self, line: str, line_start: int) -> Any:
        try:
            return json.loads(line)
        except ValueError as error:
            raise SourceError(
                f"{self!r}: the line at byte {line_start} is not JSON: {error}"
            ) from error


def _is_blank(line: str) -> bool:
    return not line.strip(" \t\r\n")
