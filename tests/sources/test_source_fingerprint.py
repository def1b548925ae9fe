import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuable.errors import SourceChangedError
from continuable.sources import csv_rows, jsonl, lines
from continuable.sources.fingerprint import (
    MEBIBYTE,
    READ_WHOLE_UP_TO,
    check_fingerprint,
    file_fingerprint,
)

RESTORE = r"Put it back as it was and retry, or restart the job from the beginning\.$"


def test_a_copy_is_the_same_file(write_file: Callable[[bytes], Path], tmp_path: Path) -> None:
    """Another place, another time, another inode."""
    path = write_file(b"a\n1\n")
    copy = tmp_path / "copy.csv"
    shutil.copyfile(path, copy)
    os.utime(copy, (0, 0))
    check_fingerprint("copy", file_fingerprint(path), file_fingerprint(copy))


@pytest.mark.parametrize("source", [csv_rows, lines, jsonl])
def test_every_file_source_has_one(
    source: Callable[[Path], Any], write_file: Callable[[bytes], Path]
) -> None:
    """It is plain data, and survives JSON."""
    path = write_file(b"1\n")
    found = source(path).fingerprint()
    assert found == file_fingerprint(path)
    assert json.loads(json.dumps(found)) == found


@given(then=st.binary(max_size=20), now=st.binary(max_size=20))
def test_it_differs_exactly_when_the_content_does(
    then: bytes, now: bytes, write_file: Callable[[bytes], Path]
) -> None:
    """For all small files."""
    same = file_fingerprint(write_file(then)) == file_fingerprint(write_file(now))
    assert same == (then == now)


@pytest.mark.parametrize(
    ("content", "change"),
    [
        (b"a\n1\n2\n", "it grew from 4 to 6 bytes"),
        (b"a\n", "it shrank from 4 to 2 bytes"),
        (b"a\n2\n", r"it has the same size \(4 bytes\), but other content"),
    ],
)
def test_a_changed_file_is_told_with_what_changed(
    content: bytes, change: str, write_file: Callable[[bytes], Path]
) -> None:
    """And with what to do."""
    path = write_file(b"a\n1\n")
    source = csv_rows(path)
    then = source.fingerprint()
    path.write_bytes(content)
    with pytest.raises(SourceChangedError, match=rf"^csv_rows\(.*{change}\. {RESTORE}"):
        check_fingerprint(repr(source), then, source.fingerprint())


def test_other_fingerprints_are_shown_as_they_are() -> None:
    """Those of a user's own source may be any plain data."""
    check_fingerprint("mine", {"version": 3}, {"version": 3})
    with pytest.raises(SourceChangedError, match=r"was \{'version': 3\} and is \{'version': 4\}"):
        check_fingerprint("mine", {"version": 3}, {"version": 4})


@pytest.mark.parametrize(("then", "now"), [(None, None), (None, 1), (1, None)])
def test_none_has_nothing_to_compare(then: Any, now: Any) -> None:
    """A source that gained a fingerprint in a deploy does not stop the jobs in flight."""
    check_fingerprint("mine", then, now)


@pytest.mark.parametrize(
    ("place", "noticed"), [(0, True), (40 * MEBIBYTE, False), (41 * MEBIBYTE, True), (-1, True)]
)
def test_a_file_too_big_to_read_whole_is_sampled(place: int, noticed: bool, tmp_path: Path) -> None:
    """From the first byte to the last; between two samples only a change of size is noticed."""
    path = tmp_path / "big.bin"
    size = 2 * READ_WHOLE_UP_TO
    with path.open("wb") as file:
        file.truncate(size)
    before = file_fingerprint(path)
    with path.open("r+b") as file:
        file.seek(place % size)
        file.write(b"x")
    after = file_fingerprint(path)
    assert before["bytes"] == after["bytes"] == size
    assert (before["blake2b"] != after["blake2b"]) is noticed


def test_a_missing_file_is_the_ordinary_error(tmp_path: Path) -> None:
    """No error of our own for what everyone knows."""
    with pytest.raises(FileNotFoundError):
        file_fingerprint(tmp_path / "missing.csv")
