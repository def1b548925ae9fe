"""Text files that are read from a byte offset on, for `csv_rows`, `lines` and `jsonl`."""

import codecs
import os
from collections.abc import Iterator
from typing import Any, BinaryIO

from continuable.errors import SourceChangedError, SourceError
from continuable.sources.filekinds import path_given, refuse_other_kinds
from continuable.sources.fingerprint import file_fingerprint
from continuable.sources.offset import offset_from_cursor

COUNT_UP_TO = 64 * 1024 * 1024
BLOCK = 64 * 1024


class TextFile:
    r"""A file whose cursors are byte offsets, at which a line starts.

    Lines end at `\n`, `\r\n` or `\r`. The encoding must keep ASCII as it is, as UTF-8 (with
    or without a byte order mark) and the single-byte ones do: then a line can be decoded without
    those before it. Others, such as UTF-16, are a `SourceError`.
    """

    function: str

    def __init__(self, path: str | os.PathLike[str], encoding: str) -> None:
        self.path = path_given(self.function, path)
        self.encoding = codecs.lookup(encoding).name
        if self.encoding == "utf-8-sig":
            self.encoding = "utf-8"
        if not _keeps_ascii(self.encoding):
            raise SourceError(
                f"{self!r} cannot resume in a file in {self.encoding}, whose lines cannot be "
                f"told apart byte by byte: convert the file to utf-8"
            )

    def __repr__(self) -> str:
        return f"{self.function}({self.path!r})"

    def fingerprint(self) -> Any:
        """Size in bytes and a digest of the content: the same for a copy of the file.

        `SourceError` where it is no text file.
        """
        refuse_other_kinds(self, self.path)
        return file_fingerprint(self.path)

    def text_start(self, file: BinaryIO) -> int:
        """The byte offset of the first character: behind a byte order mark, if there is one."""
        file.seek(0)
        has_mark = self.encoding == "utf-8" and file.read(3) == codecs.BOM_UTF8
        return len(codecs.BOM_UTF8) if has_mark else 0

    def offset(self, file: BinaryIO, cursor: Any, first: int) -> int:
        """The byte offset to read from: that of `cursor`, or `first`, where the items begin."""
        size = os.fstat(file.fileno()).st_size
        offset = offset_from_cursor(cursor, end=size, unit="a byte offset", source=self)
        if 0 < offset < first:
            raise SourceChangedError(
                f"The cursor {offset} of {self!r} lies before its first item, at byte {first}: "
                f"the file's beginning changed. Put it back as it was and retry, or restart the "
                f"job from the beginning."
            )
        return max(offset, first)

    def is_quick_to_count(self, file: BinaryIO) -> bool:
        """Is the file at most 64 MiB, so that `total` reads it in about a second?"""
        return os.fstat(file.fileno()).st_size <= COUNT_UP_TO


class TextLines:
    """The decoded lines of a file from a byte offset on, line ends included.

    `offset` is the byte offset behind the line that was yielded last: the cursor of a reader that
    takes only the lines it needs.
    """

    def __init__(
        self, source: TextFile, file: BinaryIO, offset: int, errors: str = "strict"
    ) -> None:
        file.seek(offset)
        self.offset = offset
        self.has_ended = False
        self._source = source
        self._file = file
        self._errors = errors

    def __iter__(self) -> Iterator[str]:
        encoding, errors = self._source.encoding, self._errors
        try:
            for block in line_blocks(self._file):
                for line in block:
                    self.offset += len(line)
                    yield line.decode(encoding, errors)
            self.has_ended = True
        except UnicodeDecodeError as error:
            offset = self.offset - len(error.object) + error.start
            raise SourceError(
                f"{self._source!r} is not in {encoding} at byte {offset} ({error.reason}): "
                f"give the file's own encoding="
            ) from error


def line_blocks(file: BinaryIO) -> Iterator[list[bytes]]:
    """Blocks of the lines of `file` from its position on, line ends included."""
    rest = b""
    # Reading at least as much as is left over keeps a line of any length at linear cost.
    while data := file.read(max(BLOCK, len(rest))):
        lines = (rest + data).splitlines(keepends=True)
        # The last one may go on in the next block, or its "\r" be the first half of a "\r\n".
        rest = lines.pop()
        yield lines
    if rest:
        yield [rest]


def _keeps_ascii(encoding: str) -> bool:
    ascii_bytes = bytes(range(128))
    try:
        return ascii_bytes.decode(encoding) == ascii_bytes.decode("ascii")
    except UnicodeError:
        return False
