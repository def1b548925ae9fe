"""What cannot be put on the queue of an engine was never enqueued."""

import json
from uuid import uuid4

import celery
import procrastinate
import pytest
import redis
from procrastinate import SyncPsycopgConnector

from continuable import App
from continuable.errors import DuplicateJobError, JobNotFoundError
from continuable.model.payload import JobRecord
from continuable.model.states import State
from continuable.progress.sqlite import SQLiteProgress
from continuable.queues.celery import CeleryQueue
from continuable.queues.procrastinate import ProcrastinateQueue
from continuable.queues.rq import RQQueue
from tests.queues.elsewhere import Elsewhere


def job_of_the_module(job, n):
    """RQ finds it by its name."""


@pytest.fixture
def server(request, engine):
    is_postgresql = engine == "procrastinate"
    server = request.getfixturevalue("postgresql_server" if is_postgresql else "redis_server")
    yield server
    if not server.accepts():
        server.begin()


def procrastinate_app(server):
    conninfo = server.create(f"unsendable_{uuid4().hex}").replace("+psycopg", "")
    with (app := procrastinate.App(connector=SyncPsycopgConnector(conninfo=conninfo))).open():
        app.schema_manager.apply_schema()
    return procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=conninfo))


@pytest.fixture
def queue(engine, server):
    match engine:
        case "celery":
            celery_app = celery.Celery("project", broker=server.url, set_as_current=False)
            celery_app.conf.task_publish_retry = False
            return CeleryQueue(celery_app)
        case "rq":
            return RQQueue(redis.Redis.from_url(server.url))
        case "procrastinate":
            return ProcrastinateQueue(procrastinate_app(server))


@pytest.fixture
def app(queue, tmp_path):
    store = SQLiteProgress(tmp_path / "progress.db")
    yield App(queue=queue, progress=store)
    queue.close()
    store.close()


@pytest.mark.server
@pytest.mark.parametrize("engine", ["celery", "rq", "procrastinate"])
def test_a_job_that_cannot_be_sent_is_not_there_and_its_id_is_free(app, server):
    job = app.job(name="import_rows")(job_of_the_module)
    server.stop()
    with pytest.raises(Exception) as caught:
        job.using(id="import-42").enqueue(42)
    assert not isinstance(caught.value, AssertionError | DuplicateJobError)
    with pytest.raises(JobNotFoundError):
        app.handle("import-42").state()
    assert app.queue.board.counts() == {}
    server.begin()
    assert job.using(id="import-42").enqueue(43).state() is State.WAITING


@pytest.fixture
def elsewhere(tmp_path):
    store = SQLiteProgress(tmp_path / "progress.db")
    queue = Elsewhere(lambda record: json.loads(record.arguments)[0] != [3])
    yield App(queue=queue, progress=store)
    queue.close()
    store.close()


def test_of_many_jobs_those_that_were_sent_are_there_and_the_error_says_so(elsewhere):
    job = elsewhere.job(name="import_rows")(job_of_the_module)
    with pytest.raises(ConnectionError) as caught:
        job.enqueue_many([(1,), (2,), (3,), (4,)])
    assert "The first 2 of these 4 jobs are on the queue" in caught.value.__notes__[0]
    waiting = elsewhere.queue.board.list()
    assert sorted(info.id for info in waiting) == sorted(
        job_id for job_id, _ in elsewhere.queue.sent
    )
    assert len(waiting) == 2


def test_of_many_jobs_none_is_there_where_one_has_an_id_that_is_taken(elsewhere):
    job = elsewhere.job(name="import_rows")(job_of_the_module)
    job.using(id="taken").enqueue(1)
    records = [JobRecord(id=name, name="import_rows") for name in ("free", "taken", "other")]
    with pytest.raises(DuplicateJobError):
        elsewhere.progress.add(records)
    assert [info.id for info in elsewhere.queue.board.list()] == ["taken"]
