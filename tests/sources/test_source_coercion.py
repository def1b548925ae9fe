import io
from collections import deque
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from continuable.errors import SourceError
from continuable.sources import AsyncSource, Source, csv_rows, pages, sequence
from continuable.sources.coercion import as_source


class Countdown:
    """A source of the user's own: nothing to derive from."""

    def items(self, cursor: Any) -> Iterator[tuple[int, int]]:
        for number in range(cursor or 3, 0, -1):
            yield number, number - 1

    def total(self) -> int | None:
        return 3

    def fingerprint(self) -> Any:
        return None


async def fetch(token: Any) -> tuple[list[int], None]:
    return [1], None


@pytest.mark.parametrize("source", [Countdown(), csv_rows("a.csv"), pages(fetch)])
def test_a_source_stays_what_it_is(source: Any) -> None:
    """Of the library or of the user, plain or async."""
    assert as_source(source) is source
    assert isinstance(source, Source) != isinstance(source, AsyncSource)


@pytest.mark.parametrize("items", [[1, 2], (1, 2), range(1, 3)])
def test_lists_tuples_and_ranges_become_sequences(items: Any) -> None:
    """The cursor is then an index."""
    assert list(as_source(items).items(1)) == [(2, 2)]


async def async_generator() -> AsyncIterator[int]:
    yield 1


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        ((n for n in [1]), r"generator: .* only start at its beginning.*pages\(\).*a list"),
        (async_generator(), r"async_generator: .* only start at its beginning"),
        (iter([1]), r"list_iterator: .* only start at its beginning"),
        (map(str, [1]), r"map: .* only start at its beginning"),
        (io.StringIO("a\n"), r"StringIO: .*lines\(\)"),
        ("abc", r"str: lines\(path\)"),
        (b"abc", r"bytes: lines\(path\)"),
        ({"a": 1}, r"dict: iterate sorted\(\.\.\.\) of its items"),
        ({1, 2}, r"set: its order differs .* sorted\(\.\.\.\)"),
        (frozenset([1]), r"frozenset: its order differs"),
        (deque([1]), r"deque: wrap it in sequence\(\.\.\.\)"),
        (5, r"int: .* write a Source"),
        (None, r"NoneType: .* write a Source"),
    ],
)
def test_everything_else_is_refused_with_advice(value: Any, advice: str) -> None:
    """What it is, and what to iterate instead."""
    with pytest.raises(SourceError, match=rf"^Cannot resume in the middle of a {advice}"):
        as_source(value)


def live_queries() -> Iterator[Any]:
    """A query and a result of each library."""
    django = pytest.importorskip("django.db.models.query")
    sa = pytest.importorskip("sqlalchemy")
    orm = pytest.importorskip("sqlalchemy.orm")
    yield django.QuerySet()
    yield sa.select(sa.literal(1))
    yield orm.Query([sa.literal(1)])
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        yield connection.execute(sa.select(sa.literal(1)))
        yield connection.scalars(sa.select(sa.literal(1)))
    engine.dispose()


@pytest.mark.parametrize("make", [as_source, sequence])
def test_a_query_of_a_database_is_no_source_and_no_sequence(make: Any) -> None:
    """Its rows are others at the next look."""
    for value in live_queries():
        with pytest.raises(SourceError, match=r"others whenever it is asked.*keyset\(fetch"):
            make(value)
