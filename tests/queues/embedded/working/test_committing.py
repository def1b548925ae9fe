"""`commit` and `transaction` on a real worker: what the file says holds, whatever became of it."""

import sqlite3
import threading
import time
from contextlib import closing, suppress

import pytest

from continuable.model.states import State
from continuable.queues.embedded.worker import Worker, WorkerOptions
from tests.waiting import DEADLINE


@pytest.fixture
def connect(own, path):
    """Connections of the user's own to the jobs' file, closed at the end of the test."""
    opened = []

    def connect():
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        opened.append(connection)
        return connection

    own.queue.database.open()
    with closing(sqlite3.connect(path)) as first:
        first.execute("CREATE TABLE rows (n INTEGER)")
    yield connect
    for connection in opened:
        connection.close()


def rows(connect):
    return [row[0] for row in connect().execute("SELECT n FROM rows ORDER BY n")]


def insert(step, connection, n, ending):
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO rows VALUES (?)", [n])
    step.commit(n + 1, connection)
    connection.execute(ending)


def test_an_error_after_a_rollback_resumes_before_it(own, work, connect):
    begun_at = []

    @own.job
    def importing(job):
        @job.step(start=0)
        def turn(step):
            begun_at.append(step.cursor)
            connection = connect()
            insert(step, connection, step.cursor, "COMMIT")
            if job.executions == 1:
                for _ in range(3):  # as one who tries again when the commit has failed
                    insert(step, connection, 1, "ROLLBACK")
                raise ValueError("cannot commit")
            if step.cursor < 3:
                insert(step, connection, step.cursor, "COMMIT")

    handle = importing.enqueue()
    work(own)
    assert handle.state() is State.COMPLETED
    assert begun_at == [0, 1]
    assert rows(connect) == [0, 1, 2]


def test_saves_after_a_rollback_do_not_make_its_cursor_true(own, work, connect):
    seen = []

    @own.job(save_every=0.0)
    def importing(job):
        @job.step(start=0)
        def turn(step):
            if step.resumed:
                seen.append(step.cursor)
                return
            insert(step, connect(), 5, "ROLLBACK")
            until = time.monotonic() + 30
            while not saved.is_set() and time.monotonic() < until:
                step.checkpoint()
                time.sleep(0.002)
            step.checkpoint()
            job.interrupt("look")

    saved = threading.Event()
    own.subscribe(lambda event: saved.set() if event.name == "progress.saved" else None)
    importing.enqueue()
    work(own)
    assert (seen, saved.is_set()) == ([0], True)
    assert rows(connect) == []


def test_a_commit_that_was_followed_by_an_error_holds(own, work, connect):
    begun_at = []

    @own.job
    def importing(job):
        @job.step(start=0)
        def turn(step):
            begun_at.append(step.cursor)
            if step.cursor == 0:
                insert(step, connect(), 0, "COMMIT")
                raise ValueError("after the commit")

    handle = importing.enqueue()
    work(own)
    assert handle.state() is State.COMPLETED
    assert begun_at == [0, 1]
    assert rows(connect) == [0]


def test_a_block_that_raises_leaves_neither_rows_nor_cursor(own, work, connect):
    begun_at = []

    @own.job
    def importing(job):
        @job.step(start=0)
        def turn(step):
            begun_at.append(step.cursor)
            connection = connect()
            with suppress(ZeroDivisionError), step.transaction(connection) as tx:
                connection.execute("INSERT INTO rows VALUES (7)")
                tx.save(8)
                1 / 0  # noqa: B018
            assert step.cursor == begun_at[-1]
            if job.executions == 1:
                with step.transaction(connection) as tx:
                    connection.execute("INSERT INTO rows VALUES (0)")
                    tx.save(1)
                raise ValueError("progress was made")

    handle = importing.enqueue()
    work(own)
    assert handle.state() is State.COMPLETED
    assert begun_at == [0, 1]
    assert rows(connect) == [0]


@pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")  # that is the point
@pytest.mark.parametrize("is_in_a_circle", [True, False])
def test_an_interrupt_that_leaves_a_transaction_open_is_written_without_waiting_for_it(
    own, path, beside, log, is_in_a_circle
):
    """The library was not handed the connection; it goes with the frames, or is collected."""
    own.queue.database.open()
    inside = threading.Event()

    @own.job
    def careless(job):
        @job.step(start=0)
        def turn(step):
            if step.resumed:
                return
            connection = sqlite3.connect(path, isolation_level=None)
            circle = [connection]
            if is_in_a_circle:
                circle.append(circle)
            step.set(1)
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("CREATE TABLE uncommitted (n INTEGER)")
            inside.set()
            while True:
                step.checkpoint()
                time.sleep(0.002)

    handle = careless.enqueue()
    worker = Worker(own.queue, WorkerOptions(drain=True))
    beside(lambda: inside.wait(DEADLINE) and worker._heartbeat.interrupt_all("look"))
    assert worker.run() == 0
    assert handle.state() is State.COMPLETED
    assert "cannot be written" not in log.text
    with closing(sqlite3.connect(path)) as connection:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema")}
    assert "uncommitted" not in tables


def test_a_border_inside_an_open_transaction_of_the_jobs_does_not_wait_for_it(own, work, connect):
    """SQLite would wait five seconds for the lock that the same thread holds."""
    took = []

    @own.job
    def importing(job):
        connection = connect()
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO rows VALUES (1)")
        began = time.monotonic()
        job.step(lambda: 1, name="inside")
        took.append(time.monotonic() - began)
        connection.execute("COMMIT")
        job.step(lambda: 2, name="outside")

    handle = importing.enqueue()
    work(own)
    assert handle.state() is State.COMPLETED
    assert took[0] < 3
    assert rows(connect) == [1]
