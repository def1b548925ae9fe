"""`lines`: the lines of a text file."""

import os
from collections.abc import Iterator
from typing import Any

from continuable.sources.protocol import Source
from continuable.sources.textfile import TextFile, TextLines, line_blocks


def lines(path: str | os.PathLike[str], *, encoding: str = "utf-8") -> Source[str]:
    r"""The lines of the file at `path`, without their ends (`\n`, `\r\n` or `\r`).

    The cursor is the byte offset behind a line; a resume seeks there. Empty lines are items, and
    so is a last line without an end. A byte order mark is no part of the first line.

    `SourceError`: the encoding does not keep ASCII as it is (UTF-16), or cannot decode the
    bytes.
    `SourceChangedError`: the cursor lies beyond the end of the file.
    """
    return Lines(path, encoding)


class Lines(TextFile):
    """A text file as a source of lines."""

    function = "lines"

    def items(self, cursor: Any) -> Iterator[tuple[str, int]]:
        """Each line from the byte offset `cursor` on, with the offset behind it."""
        with open(self.path, "rb") as file:
            text = TextLines(self, file, self.offset(file, cursor, self.text_start(file)))
            for line in text:
                yield line.rstrip("\r\n"), text.offset

    def total(self) -> int | None:
        """The number of lines; `None` in a file of more than 64 MiB."""
        with open(self.path, "rb") as file:
            if not self.is_quick_to_count(file):
                return None
            file.seek(self.text_start(file))
            return sum(len(block) for block in line_blocks(file))
