"""The import of 80,000 rows that a deploy cannot hurt: `csv_rows` in a real worker."""

import sqlite3
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from continuable import App
from continuable.model.states import State
from continuable.sources import batches, csv_rows
from tests.waiting import until

ROWS = 80_000
AT = 51_000
BATCH = 100
PAUSE = 0.002
"""Seconds that each batch takes at least, so that there is a moment to stop it in."""


INSERT = "INSERT INTO people VALUES (:id, :name, :note)"


def make_app(path: Path) -> App:
    app = App(f"sqlite:///{path}", defaults={"resume_options": {"wait": 0.0}})

    @app.job(name="import")
    def import_rows(job, file):
        """Rows and cursor are committed together."""
        total = job.step(lambda: csv_rows(file).total(), name="validate")

        @job.step
        def process_records(step):
            step.total = total
            with connected(path) as people:
                for rows, behind in batches(csv_rows(file), BATCH).items(step.cursor):
                    with step.transaction(people) as tx:
                        people.executemany(INSERT, rows)
                        tx.save(behind, items=len(rows))
                    time.sleep(PAUSE)

        return job.step(lambda: imported(path), name="finalize")

    @app.job(name="iterate", save_every=0.05)
    def iterate_rows(job, file, target):
        """Rows go elsewhere, one by one, and the cursor follows them."""

        @job.step
        def process_records(step):
            with connected(target) as people:
                people.execute("PRAGMA synchronous = OFF")
                for row in step.iterate(csv_rows(file)):
                    people.execute(INSERT, row)
                    if step.done % BATCH == 0:
                        time.sleep(PAUSE)

    return app


def connected(path):
    return closing(sqlite3.connect(path, isolation_level=None))


@pytest.fixture
def app(path):
    app = make_app(path)
    with closing(app.queue):
        app.queue.database.open()
        yield app


@pytest.fixture
def people(path):
    """A file as they come: a byte order mark, \\r\\n, quoted line ends, text that is not ASCII."""
    file = path.with_name("people.csv")
    with file.open("w", encoding="utf-8-sig", newline="") as text:
        text.write("id,name,note\r\n")
        text.writelines(
            f'{n},"Zoë ""{n}"" Müller","line one\r\nline {n % 7}, 東京"\r\n' for n in range(ROWS)
        )
    return file


def expected(n):
    return n, f'Zoë "{n}" Müller', f"line one\r\nline {n % 7}, 東京"


def make_table(path):
    with connected(path) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE people (id INTEGER, name TEXT, note TEXT)")


def imported(path):
    with connected(path) as connection:
        return connection.execute("SELECT max(rowid) FROM people").fetchone()[0] or 0


def deployed_over(handle, start, target):
    """Run the import, deploy over it near row 51,000, and let the new release end it."""
    old = start(jobs=__name__)
    until(lambda: imported(target) >= AT)
    assert old.stop() == 0
    info = handle.info()
    assert (info.state, info.reason, info.step) == (
        State.INTERRUPTED,
        "stopping",
        "process_records",
    )
    assert AT <= info.done < ROWS
    assert info.total == ROWS
    new = start(jobs=__name__, drain=True)
    assert new.wait(120) == 0
    assert "resumed at 'process_records', cursor " in new.log
    assert handle.info().executions == 2
    return info


def all_rows_in(target):
    with connected(target) as connection:
        found = connection.execute("SELECT id, name, note FROM people ORDER BY id").fetchall()
    assert len(found) == ROWS, Counter(row[0] for row in found).most_common(3)
    assert all(row == expected(n) for n, row in enumerate(found))


@pytest.mark.slow
@pytest.mark.sample
def test_every_row_of_a_file_is_there_once_after_a_deploy_near_row_51_000(
    app, work_elsewhere, people, path
):
    make_table(path)
    handle = app.jobs["import"].enqueue(people)
    interrupted = deployed_over(handle, work_elsewhere, path)
    assert interrupted.completed == ["validate"]
    assert handle.result() == ROWS
    all_rows_in(path)


@pytest.mark.slow
def test_every_row_that_was_iterated_is_there_once_after_a_deploy_near_row_51_000(
    app, work_elsewhere, people, path
):
    target = path.with_name("people.db")
    make_table(target)
    handle = app.jobs["iterate"].enqueue(people, target)
    interrupted = deployed_over(handle, work_elsewhere, target)
    assert handle.state() is State.COMPLETED
    assert isinstance(interrupted.cursor, int)
    assert people.stat().st_size * 0.6 < interrupted.cursor < people.stat().st_size
    all_rows_in(target)
