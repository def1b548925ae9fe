"""Without a store, progress rides in the messages: as much as Rails does."""

import sqlite3

import pytest

from continuable import App
from continuable.errors import CheckpointError, QueueError
from continuable.model.payload import JobRecord
from continuable.progress.message import MessageProgress
from continuable.queues.consumer import Consumer, Finished, Requeue


@pytest.fixture
def worker():
    started = []

    def worker(app):
        consumer = Consumer(app.jobs, MessageProgress(), lambda record, wait: None)
        consumer.start()
        started.append(consumer)
        return consumer

    yield worker
    for consumer in started:
        consumer.close()


def test_a_job_goes_on_in_another_process_from_its_message_alone(worker):
    app, rows = App(defaults={"resume_options": {"wait": 0.0}}), []

    @app.job(save_every=0.0)
    def import_rows(job):
        @job.step(start=0)
        def process(step):
            for n in range(step.cursor, 6):
                rows.append(n)
                if n == 3 and not step.resumed:
                    consumer.interrupt()
                step.advance()
            return len(rows)

        return process

    consumer = worker(app)
    delivered = consumer.run(JobRecord(id="job-1", name=import_rows.name))
    assert isinstance(delivered, Requeue)
    message = JobRecord.from_json(delivered.record.to_json())
    assert message.progress["current"] == ["process", 4]
    ended = worker(app).run(message)
    assert isinstance(ended, Finished)
    assert ended.outcome.value == 6
    assert rows == [0, 1, 2, 3, 4, 5]


def test_resumptions_are_counted_in_the_message(worker):
    app = App(defaults={"max_resumptions": 2, "resume_options": {"wait": 0.0}})

    @app.job
    def restless(job):
        job.step(lambda: None, name="first")
        job.interrupt("again")

    record = JobRecord(id="job-1", name=restless.name)
    counted = []
    while isinstance(delivered := worker(app).run(record), Requeue):
        record = delivered.record
        counted.append(record.resumptions)
    assert counted == [1, 2]
    assert "Job was resumed a maximum of 2 times" in str(delivered.outcome.error)


@pytest.mark.parametrize("way", ["commit", "transaction"])
def test_rows_and_cursor_cannot_be_committed_together(worker, way, tmp_path):
    app = App()
    connection = sqlite3.connect(tmp_path / "rows.db", isolation_level=None)
    connection.execute("CREATE TABLE imported (n INTEGER)")

    @app.job
    def import_rows(job):
        @job.step(start=0)
        def process(step):
            if way == "transaction":
                with step.transaction(connection) as tx:
                    connection.execute("INSERT INTO imported VALUES (1)")
                    tx.save(1)
            else:
                connection.execute("BEGIN")
                connection.execute("INSERT INTO imported VALUES (1)")
                step.commit(1, connection)

    ended = worker(app).run(JobRecord(id="job-1", name=import_rows.name))
    assert isinstance(ended, Finished)
    assert isinstance(ended.outcome.error, CheckpointError)
    for way_out in ("SQLAlchemyProgress", "DjangoProgress", "step.set()"):
        assert way_out in str(ended.outcome.error)
    if connection.in_transaction:
        connection.rollback()
    assert connection.execute("SELECT * FROM imported").fetchall() == []
    connection.close()


def test_nobody_can_look_at_jobs_that_no_store_knows():
    store = MessageProgress()
    for look in (store.list, store.counts, lambda: store.find("job-1")):
        with pytest.raises(QueueError, match="no store of progress"):
            look()


def test_the_embedded_queue_keeps_its_own_progress():
    with pytest.raises(ValueError, match="leave progress= out"):
        App(progress=None)
