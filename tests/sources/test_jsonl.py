import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuable.errors import SourceChangedError, SourceError
from continuable.sources import jsonl, textfile

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
BLANKS = st.sampled_from(["", "\n", "  \n\r\n", "\t\n"])


@given(values=st.lists(st.tuples(BLANKS, VALUES), max_size=8), escape=st.booleans(), end=BLANKS)
def test_any_values_come_back(
    values: list[tuple[str, Any]],
    escape: bool,
    end: str,
    write_file: Callable[[bytes], Path],
    resumes_anywhere: Callable[..., None],
) -> None:
    """With blank lines anywhere, and with or without a last line end."""
    documents = [blank + json.dumps(value, ensure_ascii=escape) for blank, value in values]
    path = write_file(("\n".join(documents) + end).encode())
    resumes_anywhere(jsonl(path), [value for _, value in values])


def test_a_byte_order_mark_is_no_mistake(
    write_file: Callable[[bytes], Path], resumes_anywhere: Callable[..., None]
) -> None:
    """Files from Windows begin with one."""
    resumes_anywhere(jsonl(write_file(b'\xef\xbb\xbf{"a": 1}\r\n2')), [{"a": 1}, 2])


@pytest.mark.parametrize("bad", [b'{"a": ', b"plain", b"1" * 5000, b"{} {}", b"\xc2\xa0"])
def test_a_bad_line_is_an_error_with_its_file_and_offset(
    bad: bytes, write_file: Callable[[bytes], Path]
) -> None:
    """Blank lines before it are not part of it; the lines before it are given."""
    path = write_file(b'{"n": "\xc3\xa9"}\n\n' + bad + b"\n3\n")
    items = jsonl(path).items(None)
    assert next(items) == ({"n": "é"}, 12)
    with pytest.raises(SourceError, match=rf"{path.name}.* line at byte 13 is not JSON: "):
        next(items)


def test_a_cursor_beyond_the_end_is_a_changed_file(write_file: Callable[[bytes], Path]) -> None:
    """The file shrank since the cursor was taken."""
    with pytest.raises(SourceChangedError, match="shrank"):
        list(jsonl(write_file(b"1\n")).items(3))


def test_the_total_counts_what_is_not_blank(
    write_file: Callable[[bytes], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bad lines too, without failing on them; and nothing at all in a big file."""
    path = write_file(b"1\n\n \n\xff\n{")
    assert jsonl(path).total() == 3
    monkeypatch.setattr(textfile, "COUNT_UP_TO", 1)
    assert jsonl(path).total() is None


def test_it_is_named_by_what_the_user_wrote() -> None:
    """Messages and the CLI show the call."""
    assert repr(jsonl("events.jsonl")) == "jsonl('events.jsonl')"
