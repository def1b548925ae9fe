"""Sources in the hands of jobs: interrupted after every item, changed meanwhile, sought in."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import pytest

from continuable import App
from continuable.errors import SourceChangedError, SourceError
from continuable.sources import (
    Source,
    batches,
    csv_rows,
    jsonl,
    lines,
    nested,
    pages,
    sequence,
    textfile,
)
from continuable.testing import TestQueue, interrupt_during_step

WriteFile = Callable[[bytes], Path]


@pytest.fixture
def app() -> App:
    return App(queue=TestQueue())


def fetch(token: int | None) -> tuple[list[int], int | None]:
    page = token or 0
    return [page, page + 1], page + 2 if page < 4 else None


async def afetch(token: int | None) -> tuple[list[int], int | None]:
    return fetch(token)


CSV = '\ufeffid,text\r\n1,"a\r\nb"\r\n2,東京\r\n3,"Zoë ""Z"""\r\n'.encode()
ROWS = [
    {"id": "1", "text": "a\r\nb"},
    {"id": "2", "text": "東京"},
    {"id": "3", "text": 'Zoë "Z"'},
]
PAGES = [[0, 1], [2, 3], [4, 5]]

SOURCES: dict[str, tuple[Callable[[Path], Any], list[Any], int | None]] = {
    "csv_rows": (csv_rows, ROWS, 3),
    "lines": (lines, ["id,text", '1,"a', 'b"', "2,東京", '3,"Zoë ""Z"""'], 5),
    "jsonl": (lambda path: jsonl(path.with_suffix(".jsonl")), [{"n": 1}, [2], "three"], 3),
    "sequence": (lambda path: sequence("abc"), ["a", "b", "c"], 3),
    "a list": (lambda path: ["a", "b"], ["a", "b"], 2),
    "a range": (lambda path: range(3, 9, 2), [3, 5, 7], 3),
    "batches": (lambda path: batches(csv_rows(path), 2), [ROWS[:2], ROWS[2:]], 2),
    "pages": (lambda path: pages(fetch), PAGES, None),
    "nested": (
        lambda path: nested([path, path], csv_rows),
        [(file, row) for file in ("first", "second") for row in ROWS],
        None,
    ),
}


@pytest.mark.parametrize("kind", SOURCES)
def test_a_job_that_is_interrupted_after_every_item_meets_each_once(
    kind: str, app: App, write_file: WriteFile
) -> None:
    """An execution each, the cursor through JSON in between; the total is known from the first."""
    make, expected, total = SOURCES[kind]
    path = write_file(CSV)
    path.with_suffix(".jsonl").write_text('{"n": 1}\n\n[2]\n"three"')
    met: list[Any] = []
    totals: set[int | None] = set()

    @app.job
    def meet(job: Any) -> None:
        @job.step
        def each(step: Any) -> int:
            for item in step.iterate(make(path)):
                met.append(item)
                totals.add(step.total)
            return int(step.done)

        assert each == len(expected)

    meet.enqueue()
    app.queue.stopping = lambda job: True
    app.queue.drain()
    if kind == "nested":
        expected = [(path, row) for _, row in expected]
    assert met == expected
    assert totals == {total}


def test_an_async_job_meets_each_page_once(app: App) -> None:
    """The same with `async for`."""
    met: list[Any] = []

    @app.job
    async def meet(job: Any) -> None:
        @job.step
        async def each(step: Any) -> None:
            async for page in step.iterate(pages(afetch)):
                met.append(page)  # noqa: PERF401 - one by one, since it is interrupted in between

        await each

    meet.enqueue()
    app.queue.stopping = lambda job: True
    app.queue.drain()
    assert met == PAGES


# --- cursors that would lose rows


class Told:
    """A source of the user's own, which gives the cursors that it is told."""

    def __init__(self, *cursors: Any) -> None:
        self._cursors = cursors

    def items(self, cursor: Any) -> Any:
        start = 0 if cursor is None else len(self._cursors) - self._cursors[::-1].index(cursor)
        yield from enumerate(self._cursors[start:], start)

    async def aitems(self, cursor: Any) -> Any:
        for pair in self.items(cursor):
            yield pair

    def total(self) -> None:
        """Nobody knows."""

    def fingerprint(self) -> None:
        """Nothing changes."""


class ToldAsync(Told):
    items = None  # type: ignore[assignment]

    async def aitems(self, cursor: Any) -> Any:
        for pair in Told(*self._cursors).items(cursor):
            yield pair


@pytest.mark.parametrize("kind", [Told, ToldAsync])
@pytest.mark.parametrize(
    ("cursors", "error"),
    [
        ([1, 1, 2, 2], r"gave two items the same cursor, 1: .* must be unique: add the primary"),
        ([1, None], r"gave None as the cursor behind an item.*must not be null"),
    ],
)
def test_an_item_that_a_resume_would_skip_fails_the_job_before_it_is_met(
    app: App, kind: type[Told], cursors: list[Any], error: str
) -> None:
    """In a source of the user's own, too, and in whatever is made of it."""
    met: list[int] = []
    source = kind(*cursors)

    @app.job
    def meet(job: Any) -> None:
        @job.step
        def each(step: Any) -> None:
            met.extend(step.iterate(source))

    @app.job
    async def ameet(job: Any) -> None:
        @job.step
        async def each(step: Any) -> None:
            async for item in step.iterate(source):
                met.append(item)  # noqa: PERF401 - those before the error count

        await each

    handle = (meet if isinstance(source, Source) else ameet).enqueue()
    with pytest.raises(SourceError, match=error):
        app.queue.drain()
    assert met == [0]
    assert handle.info().cursor == 1


def test_the_cursor_behind_the_first_item_of_a_resume_is_looked_at_too(app: App) -> None:
    """Such as that of `>=` in the place of `>`."""

    class From(Told):
        def items(self, cursor: Any) -> Any:
            yield from ((n, n) for n in range(cursor or 1, 4))

    @app.job
    def meet(job: Any) -> None:
        @job.step
        def each(step: Any) -> None:
            for _ in step.iterate(From()):
                pass

    meet.enqueue()
    with interrupt_during_step(meet, "each", cursor=1):
        app.queue.run_enqueued()
    with pytest.raises(SourceError, match="the same cursor, 1"):
        app.queue.drain()


# --- a file that changes while the job is away


@pytest.fixture
def away(app: App, write_file: WriteFile) -> Any:
    """A job that was interrupted behind the second of five rows, its file, and what it met."""
    path = write_file(b"n\n1\n2\n3\n4\n5\n")
    met: list[str] = []

    @app.job
    def importing(job: Any) -> None:
        @job.step
        def rows(step: Any) -> None:
            met.extend(row["n"] for row in step.iterate(csv_rows(path)))

    handle = importing.enqueue()
    with interrupt_during_step(importing, "rows", cursor=6):
        app.queue.run_enqueued()
    assert met == ["1", "2"]
    return path, met, handle


@pytest.mark.parametrize(
    ("content", "change"),
    [
        (b"n\n1\n2\n3\n4\n", "it shrank from 12 to 10 bytes"),
        (b"n\n1\n2\n3\n4\n5\n6\n", "it grew from 12 to 14 bytes"),
        (b"n\n1\n2\n3\n4\n6\n", r"it has the same size \(12 bytes\), but other content"),
        (b"m\n1\n2\n3\n4\n5\n", r"it has the same size \(12 bytes\), but other content"),
        (b"", "it shrank from 12 to 0 bytes"),
    ],
)
def test_a_file_that_changed_meanwhile_fails_the_job_and_can_be_put_back(
    content: bytes, change: str, app: App, away: Any
) -> None:
    """Nothing is read from it, and nothing is lost: a retry goes on where the job was."""
    path, met, handle = away
    before = path.read_bytes()
    path.write_bytes(content)
    with pytest.raises(SourceChangedError, match=rf"csv_rows\(.*{change}.*Put it back"):
        app.queue.drain()
    assert met == ["1", "2"]
    assert (handle.info().step, handle.info().cursor) == ("rows", 6)
    path.write_bytes(before)
    handle.retry()
    app.queue.drain()
    assert met == ["1", "2", "3", "4", "5"]


def test_a_file_that_is_gone_fails_the_job_and_can_be_put_back(app: App, away: Any) -> None:
    """With the error that everyone knows."""
    path, met, handle = away
    path.rename(path.with_suffix(".away"))
    with pytest.raises(FileNotFoundError):
        app.queue.drain()
    path.with_suffix(".away").rename(path)
    handle.retry()
    app.queue.drain()
    assert met == ["1", "2", "3", "4", "5"]


def test_a_copy_of_the_file_elsewhere_will_do(app: App, write_file: WriteFile) -> None:
    """As on the host that the next release is deployed to."""
    paths = [write_file(b"1\n2\n3\n") for _ in range(2)]
    met: list[str] = []

    @app.job
    def importing(job: Any) -> None:
        @job.step
        def each(step: Any) -> None:
            met.extend(step.iterate(lines(paths[job.executions - 1])))

    importing.enqueue()
    with interrupt_during_step(importing, "each", cursor=4):
        app.queue.run_enqueued()
    app.queue.drain()
    assert met == ["1", "2", "3"]


# --- what a resume reads


class Recorded:
    """An open file that remembers which bytes were read."""

    def __init__(self, file: Any, read: list[range]) -> None:
        self._file = file
        self._read = read

    def read(self, size: int = -1) -> bytes:
        start = self._file.tell()
        data: bytes = self._file.read(size)
        self._read.append(range(start, start + len(data)))
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[range]:
    """The bytes that sources read of their files."""
    read: list[range] = []
    really_open = open

    def recording(*args: Any) -> Recorded:
        return Recorded(really_open(*args), read)

    for module in ("csvrows", "jsonlines", "lines"):
        opening = sys.modules[f"continuable.sources.{module}"]
        monkeypatch.setattr(opening, "open", recording, raising=False)
    return read


@pytest.mark.parametrize(
    ("source", "header"),
    [(csv_rows, b'number,"na\r\nme"\r\n'), (lines, b""), (jsonl, b"")],
)
def test_a_resume_at_row_51_000_of_80_000_seeks(
    source: Any, header: bytes, write_file: WriteFile, read: list[range]
) -> None:
    """No byte before the cursor is read again, but for the header and the block it is in."""
    rows = b"".join(
        b'%d,"%d"\r\n' % (n, n) if header else b"%s\n" % json.dumps([n, "é"]).encode()
        for n in range(80_000)
    )
    path = write_file(header + rows)
    items = source(path).items(None)
    for _ in range(51_000):
        _, cursor = next(items)
    items.close()
    read.clear()
    rest = list(source(path).items(cursor))
    assert len(rest) == 29_000
    assert rest[-1][1] == path.stat().st_size
    assert cursor > 4 * textfile.BLOCK
    beginning = textfile.BLOCK if header else len(b"\xef\xbb\xbf")
    assert [part for part in read if part.stop > beginning and part.start < cursor] == []


def test_the_next_rows_are_read_when_it_is_their_turn(
    write_file: WriteFile, read: list[range]
) -> None:
    """A huge file costs no more memory than a block of it."""
    path = write_file(b"n\n" + b"1\n" * 1_000_000)
    next(csv_rows(path).items(None))
    assert max(part.stop for part in read) <= 2 * textfile.BLOCK
