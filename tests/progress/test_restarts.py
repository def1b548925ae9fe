"""The server that keeps the progress is restarted under a running job."""

import threading
from uuid import uuid4

import pytest

from continuable import App
from continuable.model.payload import JobRecord
from continuable.model.states import State
from continuable.queues.consumer import Consumer, Finished, Requeue
from tests.progress.places import PLACES, WITH_COMMIT
from tests.waiting import until

ROWS = 6


@pytest.fixture
def app():
    return App(defaults={"resume_options": {"wait": 0.0}})


@pytest.fixture
def consumer(app, place):
    consumer = Consumer(app.jobs, place.store, lambda record, wait: None)
    consumer.start()
    yield consumer
    consumer.close()


def message(job):
    return JobRecord(id=uuid4().hex, name=job.name)


@pytest.mark.parametrize("place", PLACES, indirect=True)
@pytest.mark.parametrize("ends", ["ORDERLY", "ABRUPT"])
def test_a_restart_neither_stops_a_running_job_nor_loses_its_progress(app, place, consumer, ends):
    seen = []

    @app.job(save_every=0.02)
    def import_rows(job):
        @job.step(start=0)
        def process(step):
            def saved():
                step.advance()
                return place.store.find(job.id).cursor

            seen.append(until(lambda: saved() or 0))
            place.server.stop(getattr(place.server, ends))
            for _ in range(100):
                step.advance()
            place.server.begin()
            seen.append(place.store.find(job.id).cursor)
            until(lambda: (saved() or 0) > seen[0] + 100)

    delivered = consumer.run(message(import_rows))
    assert isinstance(delivered, Finished)
    assert seen[1] >= seen[0] > 0  # what was saved before is there after
    (info,) = place.store.list(limit=1)
    assert (info.state, info.executions, info.error) == (State.COMPLETED, 1, None)


@pytest.mark.parametrize("place", WITH_COMMIT, indirect=True)
@pytest.mark.parametrize("moment", ["before the commit", "after the rows"])
def test_a_transaction_that_a_restart_breaks_off_is_begun_again(app, place, consumer, moment):
    broken = []

    @app.job
    def import_rows(job):
        @job.step(start=0)
        def process(step):
            with place.connected() as connection:
                for n in range(step.cursor, ROWS):
                    with step.transaction(connection) as transaction:
                        place.insert(connection, n)
                        restart(n, "after the rows")
                        transaction.save(n + 1)
                        restart(n, "before the commit")

    def restart(n, at):
        if n == 3 and at == moment and not broken:
            broken.append(n)
            place.server.restart()

    delivered = consumer.run(message(import_rows))
    assert isinstance(delivered, Requeue)  # an error after progress, no mistake of the job's
    assert delivered.record.progress["current"][1] == 3
    assert isinstance(consumer.run(delivered.record), Finished)
    assert place.rows() == list(range(ROWS))


@pytest.mark.parametrize("place", PLACES, indirect=True)
def test_a_restart_at_the_end_of_a_job_is_waited_for(app, place, consumer, caplog):
    @app.job
    def import_rows(job):
        place.server.stop(place.server.ABRUPT)
        return "done"

    def come_back():
        until(lambda: "cannot be written yet" in caplog.text)
        place.server.begin()

    thread = threading.Thread(target=come_back)
    thread.start()
    record = message(import_rows)
    assert isinstance(consumer.run(record), Finished)
    thread.join()
    assert place.store.result(record.id).result == '"done"'
