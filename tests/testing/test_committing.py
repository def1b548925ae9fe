"""`step.commit` and `step.transaction` on a test queue: the cursor shares the rows' fate."""

import sqlite3

import pytest

from continuable import CheckpointError


@pytest.fixture
def database():
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("CREATE TABLE rows (number PRIMARY KEY)")
    yield connection
    connection.close()


def insert(database, number):
    database.execute("INSERT INTO rows VALUES (?)", (number,))


def rows(database):
    return [number for (number,) in database.execute("SELECT number FROM rows")]


@pytest.fixture
def work(app, database):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            while step.cursor < 3:
                with step.transaction(database) as transaction:
                    insert(database, step.cursor)
                    transaction.save(step.cursor + 1)

    return work


def test_rows_and_cursor_are_one(work, queue, database):
    work.enqueue()
    queue.stopping = lambda job: job.cursor == 2
    queue.run_enqueued()
    assert (rows(database), queue.enqueued[0].progress["current"]) == ([0, 1], ["go", 2])
    queue.stopping = None
    queue.run_enqueued()
    assert rows(database) == [0, 1, 2]


def test_after_a_rollback_the_cursor_is_where_it_was(app, queue, database):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            while step.cursor < 3:
                with step.transaction(database) as transaction:
                    insert(database, step.cursor)
                    transaction.save(step.cursor + 1)
                    if step.cursor == 2 and job.executions == 1:
                        raise LookupError("no such row")

    work.enqueue()
    queue.run_enqueued()
    assert queue.enqueued[0].progress["current"] == ["go", 1]
    queue.run_enqueued()
    assert rows(database) == [0, 1, 2]


def test_a_commit_needs_an_open_transaction(app, queue, database):
    @app.job
    def work(job):
        job.step(lambda step: step.commit(1, database), name="go")

    work.enqueue()
    with pytest.raises(CheckpointError, match="within an open transaction"):
        queue.run_enqueued()


def test_a_checkpoint_inside_the_transaction_of_a_commit_is_an_error(app, queue, database):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            database.execute("BEGIN")
            step.commit(1, database)
            step.checkpoint()

    work.enqueue()
    queue.stopping = lambda job: False
    with pytest.raises(CheckpointError, match="A checkpoint inside an open transaction"):
        queue.run_enqueued()
    database.rollback()


def test_a_job_that_was_restarted_cannot_commit(app, queue, database):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            if job.executions == 1:
                app.handle(job.id).restart()
            with step.transaction(database) as transaction:
                insert(database, 0)
                transaction.save(1)

    handle = work.enqueue()
    queue.run_enqueued()
    assert rows(database) == []
    queue.run_enqueued()
    assert (rows(database), handle.state()) == ([0], "completed")


def test_a_connection_of_another_library_is_believed(app, queue):
    class Session:
        is_open = True

        def in_transaction(self):
            return self.is_open

    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            session = Session()
            step.commit(1, session)
            session.is_open = False
            step.checkpoint()
            raise LookupError("no such row")

    work.enqueue()
    queue.stopping = lambda job: False
    queue.run_enqueued()
    assert queue.enqueued[0].progress["current"] == ["go", 1]
