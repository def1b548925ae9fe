"""`keyset` on real databases: each row that stays is met once, whatever happens meanwhile."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from continuable import App
from continuable.errors import SourceChangedError, SourceError
from continuable.sources import AsyncSource, Source, batches, keyset
from continuable.testing import TestQueue

Query = Callable[..., list[tuple[Any, ...]]]
ROWS = 23


@pytest.fixture
def app() -> App:
    return App(queue=TestQueue())


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def query(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[Query]:
    """Runs a statement of which each parameter is written `?`, in a transaction of its own."""
    if request.param == "sqlite":
        with closing(sqlite3.connect(tmp_path / "shop.db", isolation_level=None)) as connection:
            yield lambda sql, *values: connection.execute(sql, values).fetchall()
        return
    url = request.getfixturevalue("postgresql_server").create(f"keyset_{uuid4().hex[:12]}")
    url = url.replace("+psycopg", "", 1)
    with psycopg.connect(url, autocommit=True) as postgresql:

        def run(sql: str, *values: Any) -> list[tuple[Any, ...]]:
            cursor = postgresql.execute(sql.replace("?", "%s"), values)
            return cursor.fetchall() if cursor.description else []

        yield run


@pytest.fixture
def orders(query: Query) -> Query:
    """A table with keys of several kinds; `day` is not unique."""
    query("CREATE TABLE orders (id INTEGER PRIMARY KEY, code VARCHAR(40), day VARCHAR(40))")
    for number in range(1, ROWS + 1):
        insert(query, number * 10)
    return query


def insert(query: Query, number: int) -> None:
    code = str(UUID(int=number * 7919 % 1009))
    query("INSERT INTO orders VALUES (?, ?, ?)", number, code, f"2026-12-{number % 4 + 1:02}")


def by_id(query: Query) -> Any:
    def fetch(after: int | None, limit: int) -> list[tuple[Any, ...]]:
        return query("SELECT id FROM orders WHERE id > ? ORDER BY id LIMIT ?", after or 0, limit)

    return fetch, lambda row: row[0]


def by_id_descending(query: Query) -> Any:
    def fetch(after: int | None, limit: int) -> list[tuple[Any, ...]]:
        behind = 10**6 if after is None else after
        return query("SELECT id FROM orders WHERE id < ? ORDER BY id DESC LIMIT ?", behind, limit)

    return fetch, lambda row: row[0]


def by_code(query: Query) -> Any:
    def fetch(after: str | None, limit: int) -> list[tuple[Any, ...]]:
        sql = "SELECT id, code FROM orders WHERE code > ? ORDER BY code LIMIT ?"
        return query(sql, after or "", limit)

    return fetch, lambda row: row[1]


def by_day_and_id(query: Query) -> Any:
    def fetch(after: Any, limit: int) -> list[tuple[Any, ...]]:
        day, number = after or ("", 0)
        sql = "SELECT id, day FROM orders WHERE (day, id) > (?, ?) ORDER BY day, id LIMIT ?"
        return query(sql, day, number, limit)

    return fetch, lambda row: (row[1], row[0])


KEYS = [by_id, by_id_descending, by_code, by_day_and_id]


@pytest.mark.parametrize("keyed", KEYS)
@pytest.mark.parametrize("size", [1, 7, ROWS, 100])
def test_each_row_is_met_once_whatever_comes_and_goes_meanwhile(
    app: App, orders: Query, keyed: Callable[[Query], Any], size: int
) -> None:
    """An execution for each row; before each another row is inserted, and one is deleted."""
    fetch, key = keyed(orders)
    met: list[int] = []
    stays = {number * 10 for number in range(1, ROWS + 1) if number % 3}

    @app.job
    def meet(job: Any) -> None:
        @job.step
        def each(step: Any) -> None:
            if job.executions <= ROWS:
                insert(orders, job.executions * 10 + 1)
                orders("DELETE FROM orders WHERE id = ?", job.executions * 30)
            met.extend(row[0] for row in step.iterate(keyset(fetch, key=key, size=size)))

    handle = meet.enqueue()
    app.queue.stopping = lambda job: True
    app.queue.drain()
    assert handle.state() == "completed"
    assert stays <= set(met)
    assert len(met) == len(set(met))


@pytest.mark.parametrize("keyed", KEYS)
def test_pages_are_asked_for_until_none_is_left(
    orders: Query, keyed: Callable[[Query], Any]
) -> None:
    """A page that is short, as one whose rows were deleted meanwhile, is not the end."""
    fetch, key = keyed(orders)
    asked: list[Any] = []

    def short(after: Any, limit: int) -> list[tuple[Any, ...]]:
        asked.append(after)
        return list(fetch(after, limit - len(asked) % 2))

    pairs = list(keyset(short, key=key, size=4).items(None))
    assert len(pairs) == ROWS
    assert [cursor for _, cursor in pairs] == [key(row) for row, _ in pairs]
    assert asked[0] is None
    assert asked[-1] == pairs[-1][1]


def test_an_async_fetch_makes_an_async_source(orders: Query) -> None:
    """Of the same rows and cursors."""
    fetch, key = by_id(orders)

    async def afetch(after: Any, limit: int) -> Any:
        await asyncio.sleep(0)
        return fetch(after, limit)

    source = keyset(afetch, key=key, size=5, total=ROWS)
    assert isinstance(source, AsyncSource)
    assert not isinstance(source, Source)

    async def read() -> list[Any]:
        return [pair async for pair in source.aitems(30)]

    assert asyncio.run(read()) == list(keyset(fetch, key=key, size=5).items(30))
    assert source.total() == ROWS


def test_batches_are_pages_of_their_own_size(orders: Query) -> None:
    """Whole pages, with the key of the last row as their cursor."""
    fetch, key = by_id(orders)
    found = list(batches(keyset(fetch, key=key, size=10), 10).items(None))
    assert [len(batch) for batch, _ in found] == [10, 10, 3]
    assert [cursor for _, cursor in found] == [100, 200, 230]


def test_another_query_is_noticed_on_a_resume(app: App, orders: Query) -> None:
    """Where its text is given as the fingerprint."""
    fetch, key = by_id(orders)

    @app.job
    def meet(job: Any) -> None:
        @job.step
        def each(step: Any) -> None:
            text = f"SELECT {job.executions}"
            for _ in step.iterate(keyset(fetch, key=key, fingerprint=text)):
                job.interrupt("once")

    meet.enqueue()
    with pytest.raises(SourceChangedError):
        app.queue.drain()


# --- what would lose rows, or never end


@pytest.mark.parametrize(
    ("keys", "error"),
    [
        ([1, 1], r"two rows in a row have the key 1.*add the primary key.*\(row.created"),
        ([1, None], r"the key None is null.*leave such rows out of the query"),
        ([("a", None)], r"the key \('a', None\) is null"),
        ([0.5], r"the key 0.5 is a floating number.*take another key"),
        ([3, 9, 4], r"fetch\(9, 2\) returned a row with that very key.*otherwise than it gives"),
    ],
)
def test_keys_that_would_lose_rows_are_refused_before_their_row(
    keys: list[Any], error: str
) -> None:
    """Here every page begins with the last row of the one before, as by `>=`, or by a comparison
    of another type than the key's."""

    def fetch(after: Any, limit: int) -> list[Any]:
        start = keys.index(after) if after in keys else 0
        return keys[start : start + limit]

    with pytest.raises(SourceError, match=error):
        list(keyset(fetch, key=lambda row: row, size=2).items(None))


@pytest.mark.parametrize("page", ["rows", {"rows": []}, None, 3])
def test_a_page_is_a_list_of_rows(page: Any) -> None:
    """And not an answer that has it somewhere."""
    with pytest.raises(SourceError, match="fetch must return a list of rows, not"):
        list(keyset(lambda after, limit: page, key=lambda row: row).items(None))


def test_a_page_has_rows() -> None:
    """Else no row would ever be met."""
    with pytest.raises(ValueError, match="at least 1 row, not 0"):
        keyset(lambda after, limit: [], key=lambda row: row, size=0)
