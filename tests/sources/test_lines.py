from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuable.errors import SourceChangedError, SourceError
from continuable.sources import lines, textfile


@given(
    text=st.text(alphabet="ab \r\n\té😀\x0b\x0c\x1c\x85\u2028"),
    mark=st.sampled_from([b"", b"\xef\xbb\xbf"]),
    block=st.integers(1, 20),
)
def test_lines_are_those_of_an_open_file(
    text: str,
    mark: bytes,
    block: int,
    write_file: Callable[[bytes], Path],
    resumes_anywhere: Callable[..., None],
) -> None:
    """Wherever a block of the file ends, it splits as Python's own text files do."""
    path = write_file(mark + text.encode())
    with open(path, encoding="utf-8-sig") as file:
        expected = [line.removesuffix("\n") for line in file]
    with mock.patch.object(textfile, "BLOCK", block):
        resumes_anywhere(lines(path), expected)


def test_the_cursor_is_the_byte_offset_behind_the_line(
    write_file: Callable[[bytes], Path],
) -> None:
    """Line ends of one and two bytes, and characters of several."""
    path = write_file("é\r\nb\n\nlast".encode())
    assert list(lines(path).items(None)) == [("é", 4), ("b", 6), ("", 7), ("last", 11)]


def test_a_line_longer_than_any_block(write_file: Callable[[bytes], Path]) -> None:
    """Megabytes without a line end are one line."""
    path = write_file(b"x" * 3_000_000 + b"\ny")
    items = list(lines(path).items(None))
    assert [(len(line), cursor) for line, cursor in items] == [
        (3_000_000, 3_000_001),
        (1, 3_000_002),
    ]


def test_other_encodings(
    write_file: Callable[[bytes], Path], resumes_anywhere: Callable[..., None]
) -> None:
    """NEL, a line end to `str.splitlines`, is an ordinary byte in a single-byte encoding."""
    path = write_file(b"Z\xfcrich\n\x85\n")
    resumes_anywhere(lines(path, encoding="cp1252"), ["Zürich", "…"])
    with pytest.raises(SourceError, match="utf-16"):
        lines(path, encoding="utf-16")


def test_bytes_of_another_encoding_name_their_offset(write_file: Callable[[bytes], Path]) -> None:
    """The lines before the bad one are still given."""
    items = lines(write_file(b"ok\nab\xff\n")).items(None)
    assert next(items) == ("ok", 3)
    with pytest.raises(SourceError, match="byte 5"):
        next(items)


def test_a_cursor_beyond_the_end_is_a_changed_file(write_file: Callable[[bytes], Path]) -> None:
    """The file shrank since the cursor was taken."""
    path = write_file(b"a\n")
    assert list(lines(path).items(2)) == []
    with pytest.raises(SourceChangedError, match="shrank"):
        list(lines(path).items(3))


def test_the_total_of_a_big_file_is_not_known(
    write_file: Callable[[bytes], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counting would take longer than a progress bar is worth."""
    monkeypatch.setattr(textfile, "COUNT_UP_TO", 1)
    assert lines(write_file(b"a\n")).total() is None


def test_it_is_named_by_what_the_user_wrote() -> None:
    """Messages and the CLI show the call."""
    assert repr(lines("words.txt")) == "lines('words.txt')"
