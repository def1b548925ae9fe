"""Items of a source, each committed together with the cursor behind it."""

import sqlite3
from contextlib import closing

import pytest

from continuable import App
from continuable.errors import SourceError
from continuable.sources import batches, csv_rows
from continuable.testing import TestQueue, check_resumable

ROWS = 25


@pytest.fixture
def app():
    return App(queue=TestQueue())


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text("n\n" + "".join(f"{n}\n" for n in range(ROWS)))
    return path


@pytest.fixture
def shop(tmp_path):
    with closing(sqlite3.connect(tmp_path / "shop.db", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE orders (n INTEGER)")
        yield connection


def rows_in(shop):
    return [n for (n,) in shop.execute("SELECT n FROM orders ORDER BY rowid")]


@pytest.fixture
def import_rows(app, shop):
    @app.job
    def import_rows(job, path):
        @job.step
        def process(step):
            for rows in step.iterate(batches(csv_rows(path), 10)):
                with step.transaction(shop) as tx:
                    shop.executemany("INSERT INTO orders VALUES (:n)", rows)
                    tx.save(step.next_cursor)
            return step.done, step.total

        return process

    return import_rows


def test_each_batch_is_counted_once(app, import_rows, shop, path):
    handle = import_rows.enqueue(path)
    app.queue.drain()
    assert handle.result() == (3, 3)
    assert rows_in(shop) == list(range(ROWS))


def test_it_resumes_everywhere(import_rows, shop, path):
    check_resumable(
        import_rows,
        path,
        observe=lambda: rows_in(shop),
        reset=lambda: shop.execute("DELETE FROM orders"),
        faults=("interrupt", "kill", "error"),
    )


def test_items_that_are_not_committed_are_counted_as_ever(app, shop, path):
    @app.job
    def import_some(job):
        @job.step
        def process(step):
            for row in step.iterate(csv_rows(path)):
                if int(row["n"]) % 2:
                    with step.transaction(shop) as tx:
                        shop.execute("INSERT INTO orders VALUES (:n)", row)
                        tx.save(step.next_cursor)
            return step.done

        return process

    handle = import_some.enqueue()
    app.queue.drain()
    assert handle.result() == ROWS
    assert rows_in(shop) == list(range(1, ROWS, 2))


def test_a_rollback_that_the_job_swallows_leaves_the_item_done_by_its_word(app, shop):
    @app.job
    def careless(job):
        @job.step
        def process(step):
            for n in step.iterate(range(4)):
                try:
                    with step.transaction(shop) as tx:
                        shop.execute("INSERT INTO orders VALUES (?)", (n,))
                        tx.save(step.next_cursor)
                        if n == 1:
                            raise ValueError("no luck")
                except ValueError:
                    pass
            return step.done, step.cursor

        return process

    handle = careless.enqueue()
    app.queue.drain()
    assert handle.result() == (4, 4)
    assert rows_in(shop) == [0, 2, 3]


def test_outside_of_such_a_loop_there_is_nothing_behind(app):
    @app.job
    def wrong(job):
        job.step(lambda step: step.next_cursor, name="process")

    wrong.enqueue()
    with pytest.raises(SourceError, match="in the body of that loop"):
        app.queue.drain()
