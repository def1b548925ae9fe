import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuable.errors import SourceChangedError, SourceError
from continuable.sources import csv_rows, csvrows, textfile

NASTY = st.text(alphabet="ab1 ,;\"'\\\r\n\té€😀\x00\x0b\x0c\x1c\x85\u2028", max_size=60)
FIELDS = st.lists(NASTY, min_size=3, max_size=3)


def by_dict_reader(path: Path, **options: Any) -> list[dict[Any, Any]]:
    with open(path, newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file, **options))


def refused(path: Path) -> str | None:
    """Why `csv_rows` refuses what csv.DictReader reads, and loses something in; else `None`."""
    ended = []

    def lines() -> Any:
        with open(path, newline="", encoding="utf-8-sig") as file:
            yield from file
        ended.append(True)

    rows = csv.reader(lines())
    for number, row in enumerate(filter(None, rows)):
        if ended:
            return "never closed"
        if number == 0 and len({*row, ""}) <= len(row):
            return "several of one name"
    return None


def written(rows: list[list[str]], line_end: str = "\r\n") -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=line_end, quoting=csv.QUOTE_ALL).writerows(rows)
    return text.getvalue().encode()


def all_items(path: Path, **options: Any) -> list[dict[str, Any]]:
    return [row for row, _ in csv_rows(path, **options).items(None)]


@given(rows=st.lists(FIELDS, max_size=8), end=st.sampled_from(["\n", "\r\n", "\r"]))
def test_rows_survive_the_round_trip(
    rows: list[list[str]],
    end: str,
    write_file: Callable[[bytes], Path],
    resumes_anywhere: Callable[..., None],
) -> None:
    """Whatever a CSV writer quoted comes back, and resumes behind any row."""
    path = write_file(written([["a", "b", "c"], *rows], end))
    expected = [dict(zip("abc", row, strict=True)) for row in rows]
    resumes_anywhere(csv_rows(path), expected)


@given(text=NASTY, mark=st.sampled_from([b"", b"\xef\xbb\xbf"]), block=st.integers(1, 70))
def test_any_text_at_all_reads_as_csv_dict_reader_reads_it(
    text: str,
    mark: bytes,
    block: int,
    write_file: Callable[[bytes], Path],
    resumes_anywhere: Callable[..., None],
) -> None:
    """Wherever a block of the file ends, the rows and the mistakes are those of DictReader."""
    path = write_file(mark + text.lstrip("\r\n").encode())
    options: dict[str, Any] = {"restkey": "surplus", "restval": "missing"}
    with mock.patch.object(textfile, "BLOCK", block):
        try:
            expected = by_dict_reader(path, **options)
        except csv.Error:
            with pytest.raises(SourceError, match="cannot be read"):
                all_items(path, **options)
        else:
            if (why := refused(path)) is None:
                resumes_anywhere(csv_rows(path, **options), expected)
                return
            with pytest.raises(SourceError, match=why):
                all_items(path, **options)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_the_cursor_is_the_byte_offset_behind_the_row(
    end: bytes, write_file: Callable[[bytes], Path]
) -> None:
    """Multi-byte characters, quoted line ends and two-byte line ends all count as bytes."""
    lines = [b"id,name", "1,Zürich".encode(), b'2,"a\nb"', b"3,c"]
    path = write_file(end.join(lines))
    cursors = [cursor for _, cursor in csv_rows(path).items(None)]
    assert cursors[0] == len(end.join(lines[:2]) + end)
    assert cursors[1] == len(end.join(lines[:3]) + end)
    assert cursors[2] == path.stat().st_size


def test_a_resume_reads_the_header_and_nothing_else_before_the_cursor(
    write_file: Callable[[bytes], Path],
) -> None:
    """What lies between is not looked at: here it is not even text any more."""
    path = write_file(b"id\n" + b"".join(b"%06d\n" % row for row in range(80_000)))
    cursor = 3 + 7 * 51_000
    with path.open("r+b") as file:
        file.seek(70_000)
        file.write(b"\xff" * 280_000)
    rest = list(csv_rows(path).items(cursor))
    assert rest[0] == ({"id": "051000"}, cursor + 7)
    assert len(rest) == 29_000


@pytest.mark.parametrize("cursor", [None, 0])
def test_none_and_zero_are_the_beginning(
    cursor: int | None, write_file: Callable[[bytes], Path]
) -> None:
    """A step with `start=0` and one with no start begin at the first row."""
    path = write_file(b"a\n1\n2\n")
    assert [row for row, _ in csv_rows(path).items(cursor)] == [{"a": "1"}, {"a": "2"}]


def test_the_end_of_the_file_is_a_cursor(write_file: Callable[[bytes], Path]) -> None:
    """An interrupt after the last row resumes to nothing."""
    path = write_file(b"a\n1\n2")
    assert list(csv_rows(path).items(5)) == []


@pytest.mark.parametrize("content", [b"", b"\n\n", b"a,b\n", b"a,b", b"\xef\xbb\xbf"])
def test_a_file_without_rows_has_none(
    content: bytes, write_file: Callable[[bytes], Path], resumes_anywhere: Callable[..., None]
) -> None:
    """Empty, blank, or a header alone."""
    resumes_anywhere(csv_rows(write_file(content)), [])


def test_blank_lines_are_skipped_everywhere(
    write_file: Callable[[bytes], Path], resumes_anywhere: Callable[..., None]
) -> None:
    """Before the header too, where csv.DictReader would find an empty one."""
    path = write_file(b"\r\n\na,b\r\n\n1,2\n\n\n3,4\n\n")
    resumes_anywhere(csv_rows(path), [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}])


def test_field_names_instead_of_a_header(
    write_file: Callable[[bytes], Path], resumes_anywhere: Callable[..., None]
) -> None:
    """With fieldnames the first line is a row, byte order mark or not."""
    path = write_file(b"\xef\xbb\xbf1,2\n3,4\n")
    resumes_anywhere(
        csv_rows(path, fieldnames=("a", "b")), [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]
    )


def test_other_dialects(
    write_file: Callable[[bytes], Path], resumes_anywhere: Callable[..., None]
) -> None:
    """Delimiter, quotes, escapes and spaces are as configurable as in the csv module."""
    path = write_file(b"a\tb\n'x\ty'\t 2\n'it\\'s'\t3\n")
    source = csv_rows(
        path,
        delimiter="\t",
        quotechar="'",
        escapechar="\\",
        doublequote=False,
        skipinitialspace=True,
    )
    resumes_anywhere(source, [{"a": "x\ty", "b": "2"}, {"a": "it's", "b": "3"}])


def test_quotes_can_be_ordinary_characters(write_file: Callable[[bytes], Path]) -> None:
    """Without a quotechar an inch mark does not swallow the lines that follow."""
    path = write_file(b'size\n3"\n"4\n')
    assert all_items(path, quotechar=None) == [{"size": '3"'}, {"size": '"4'}]


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "iso8859-15", "ascii", "shift_jis"])
def test_encodings_that_keep_ascii(
    encoding: str, write_file: Callable[[bytes], Path], resumes_anywhere: Callable[..., None]
) -> None:
    """Their lines can be found byte by byte, so the offsets are right."""
    text = {"ascii": "plain", "shift_jis": "表計算"}.get(encoding, "Zürich")
    path = write_file(f'name,n\n{text},1\n"{text}\n{text}",2\n'.encode(encoding))
    expected = [{"name": text, "n": "1"}, {"name": f"{text}\n{text}", "n": "2"}]
    resumes_anywhere(csv_rows(path, encoding=encoding), expected)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-7", "cp037"])
def test_encodings_that_cannot_resume_are_refused(encoding: str) -> None:
    """Said when the source is made, not after the first hour."""
    with pytest.raises(SourceError, match=r"convert the file to utf-8"):
        csv_rows("people.csv", encoding=encoding)


def test_bytes_of_another_encoding_are_an_error_with_their_offset(
    write_file: Callable[[bytes], Path],
) -> None:
    """The message says where in the file to look, and what to give."""
    path = write_file(b"name\nplain\nZ\xfcrich\n")
    with pytest.raises(SourceError, match=r"not in utf-8 at byte 12 .*encoding="):
        all_items(path)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (b"1", r"row at byte 8 has 1 fields, the header has 2.* restval="),
        (b"1,2,3", r"row at byte 8 has 3 fields, the header has 2.* restkey="),
    ],
)
def test_a_row_that_does_not_fit_the_header_is_an_error(
    row: bytes, message: str, write_file: Callable[[bytes], Path]
) -> None:
    """With the offset of the row, and the option that would accept it."""
    path = write_file(b"a,b\nx,y\n" + row + b"\n")
    with pytest.raises(SourceError, match=message):
        all_items(path)


def test_rows_that_do_not_fit_can_be_accepted(
    write_file: Callable[[bytes], Path], resumes_anywhere: Callable[..., None]
) -> None:
    """`restkey` and `restval` work as in csv.DictReader."""
    path = write_file(b"a,b\n1\n1,2,3,4\n")
    resumes_anywhere(
        csv_rows(path, restkey="more", restval=""),
        [{"a": "1", "b": ""}, {"a": "1", "b": "2", "more": ["3", "4"]}],
    )


def test_a_field_without_end_is_an_error_with_its_row(
    write_file: Callable[[bytes], Path],
) -> None:
    """A quote that is never closed runs into the field limit; the row it began in is named."""
    path = write_file(b'a\n1\n"' + b"x\n" * 100_000)
    source = csv_rows(path)
    with pytest.raises(SourceError, match=r"row at byte 4 cannot be read: field larger"):
        list(source.items(None))
    assert source.total() is None


@pytest.mark.parametrize(
    ("content", "at"), [(b'a,b\n1,2\n3,"4\n5,6\n', 8), (b'a,b\n1,"', 4), (b'"a,b\n1,2\n', 0)]
)
def test_a_quote_that_is_never_closed_does_not_swallow_the_rest_in_silence(
    content: bytes, at: int, write_file: Callable[[bytes], Path]
) -> None:
    """csv.DictReader makes one field of it; the rows before are met."""
    met: list[Any] = []
    with pytest.raises(SourceError, match=rf"row at byte {at} has a quote that is never closed"):
        met.extend(row for row, _ in csv_rows(write_file(content)).items(None))
    assert met == ([{"a": "1", "b": "2"}] if at == 8 else [])


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\n\n"])
def test_a_last_field_in_quotes_is_no_open_quote(
    end: bytes, write_file: Callable[[bytes], Path], resumes_anywhere: Callable[..., None]
) -> None:
    """However the file ends."""
    resumes_anywhere(csv_rows(write_file(b'a,b\n1,"2"' + end)), [{"a": "1", "b": "2"}])


@pytest.mark.parametrize("header", [b"id,name,id", b"id,,name", b"id,name,"])
def test_a_header_that_would_lose_fields_is_refused_and_can_be_replaced(
    header: bytes, write_file: Callable[[bytes], Path], resumes_anywhere: Callable[..., None]
) -> None:
    """csv.DictReader keeps the last of several fields with one name."""
    path = write_file(header + b"\n1,2,3\n")
    with pytest.raises(SourceError, match=r"several of one name.*fieldnames=.*skip_lines=1"):
        all_items(path)
    source = csv_rows(path, fieldnames=["a", "b", "c"], skip_lines=1)
    resumes_anywhere(source, [{"a": "1", "b": "2", "c": "3"}])
    with pytest.raises(SourceError, match="several of one name"):
        csv_rows(path, fieldnames=["a", "a", "c"])


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_first_line_may_name_the_delimiter(
    mark: bytes,
    end: bytes,
    write_file: Callable[[bytes], Path],
    resumes_anywhere: Callable[..., None],
) -> None:
    """As Excel has it; behind lines that are skipped, too."""
    lines = [b"a;b", b"1;2,5", b""]
    path = write_file(mark + end.join([b"sep=;", *lines]))
    resumes_anywhere(csv_rows(path), [{"a": "1", "b": "2,5"}])
    path = write_file(mark + end.join([b"exported today", b"", b"sep=;", *lines]))
    resumes_anywhere(csv_rows(path, skip_lines=2), [{"a": "1", "b": "2,5"}])


def test_a_cursor_beyond_the_end_is_a_changed_file(write_file: Callable[[bytes], Path]) -> None:
    """The file shrank since the cursor was taken."""
    path = write_file(b"a\n1\n")
    with pytest.raises(SourceChangedError, match=r"ends at 4, before the cursor 5"):
        list(csv_rows(path).items(5))


def test_a_cursor_inside_the_header_is_a_changed_file(
    write_file: Callable[[bytes], Path],
) -> None:
    """The header grew since the cursor was taken."""
    path = write_file(b"abc,def\n1,2\n")
    with pytest.raises(SourceChangedError, match=r"before its first item, at byte 8"):
        list(csv_rows(path).items(3))


@pytest.mark.parametrize("cursor", ["7", 1.0, True, False, -1, [3], {"next": 1}])
def test_a_cursor_that_is_no_offset_is_an_error(
    cursor: Any, write_file: Callable[[bytes], Path]
) -> None:
    """The message says what it got."""
    path = write_file(b"a\n1\n")
    with pytest.raises(SourceError, match=re.escape(f"not {cursor!r}")):
        list(csv_rows(path).items(cursor))


def test_mistakes_in_the_options_show_at_once() -> None:
    """A delimiter of two characters and an unknown encoding need no file to be wrong."""
    with pytest.raises(TypeError, match="delimiter"):
        csv_rows("x.csv", delimiter="::")
    with pytest.raises(LookupError, match="klingon"):
        csv_rows("x.csv", encoding="klingon")


def test_the_total_of_a_big_file_is_not_known(
    write_file: Callable[[bytes], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counting would take longer than a progress bar is worth."""
    path = write_file(b"a\n1\n2\n")
    assert csv_rows(path).total() == 2
    monkeypatch.setattr(textfile, "COUNT_UP_TO", 5)
    assert csv_rows(path).total() is None


def test_the_total_does_not_fail_before_the_job_gets_to_the_bad_row(
    write_file: Callable[[bytes], Path],
) -> None:
    """It counts rows in the wrong encoding and of the wrong length all the same."""
    assert csv_rows(write_file(b"a,b\n1,2\n\xff\n")).total() == 2


def test_a_missing_file_is_the_ordinary_error(tmp_path: Path) -> None:
    """No error of our own for what everyone knows."""
    source = csv_rows(tmp_path / "missing.csv")
    for read in (lambda: list(source.items(None)), source.total, source.fingerprint):
        with pytest.raises(FileNotFoundError):
            read()


def test_the_file_is_closed_when_the_iteration_ends_early(
    write_file: Callable[[bytes], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closing the iterator, as an interrupt does, closes the file."""
    path = write_file(b"a\n1\n2\n")
    opened: list[Any] = []
    really_open = open

    def remembering_open(*args: Any) -> Any:
        opened.append(really_open(*args))
        return opened[-1]

    monkeypatch.setattr(csvrows, "open", remembering_open, raising=False)
    items: Any = csv_rows(path).items(None)
    next(items)
    assert [file.closed for file in opened] == [False]
    items.close()
    assert [file.closed for file in opened] == [True]


def test_it_is_named_by_what_the_user_wrote() -> None:
    """Messages and the CLI show the call."""
    assert repr(csv_rows(Path("data") / "people.csv")) == "csv_rows('data/people.csv')"
