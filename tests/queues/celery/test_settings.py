"""What the adapter takes from Celery's settings, and what it says about them."""

from contextlib import closing
from importlib import import_module

import celery
import pytest

from continuable import App
from continuable.core.outcome import Completed
from continuable.errors import InvalidStepError
from continuable.model.payload import JobRecord
from continuable.progress.message import MessageProgress
from continuable.progress.redis import RedisProgress
from continuable.progress.sqlite import SQLiteProgress
from continuable.queues.celery import CeleryQueue
from continuable.queues.celery.own_store import as_redis_says
from tests.waiting import DEADLINE, until


def app_of(progress=..., task_options=None, **settings):
    celery_app = celery.Celery("project", set_as_current=False)
    celery_app.conf.update({"broker_url": "memory://", **settings})
    queue = CeleryQueue(celery_app, task_options=task_options or {})
    app = App(queue=queue) if progress is ... else App(queue=queue, progress=progress)

    @app.job
    def import_rows(job, n=0):
        return n

    return app


# --- where progress is kept


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ({"broker_url": "redis://broker:1234/2"}, ("broker", 1234, 2)),
        ({"broker_url": ["redis://first/1", "redis://second/1"]}, ("first", 6379, 1)),
        ({"broker_url": "redis://first/1;redis://second/1"}, ("first", 6379, 1)),
        (
            {"broker_url": "amqp://broker", "result_backend": "redis://results/3"},
            ("results", 6379, 3),
        ),
    ],
)
def test_progress_is_kept_in_the_redis_that_is_there(settings, place):
    store = app_of(**settings).queue.store
    assert isinstance(store, RedisProgress)
    options = store.client.connection_pool.connection_kwargs
    assert (options["host"], options.get("port", 6379), options["db"]) == place


def test_settings_may_come_after_the_queue_was_made():
    app = app_of()
    app.queue.celery_app.conf.broker_url = "redis://broker:1234/2"
    assert isinstance(app.queue.store, RedisProgress)


def test_progress_rides_in_messages_where_there_is_no_redis():
    assert isinstance(app_of(broker_url="amqp://broker").queue.store, MessageProgress)


@pytest.mark.parametrize(
    ("celerys", "redis_says"),
    [
        ("redis://", "redis://"),
        ("redis://:secret@host:1/2", "redis://:secret@host:1/2"),
        ("redis+socket:///run/redis.sock?virtual_host=3", "unix:///run/redis.sock?db=3"),
        ("redis+socket:///run/redis.sock", "unix:///run/redis.sock"),
        ("rediss://host/0?ssl_cert_reqs=CERT_REQUIRED", "rediss://host/0?ssl_cert_reqs=required"),
    ],
)
def test_urls_are_put_in_the_words_of_the_client(celerys, redis_says):
    assert as_redis_says(celerys) == redis_says


# --- what a worker says at its start


def test_a_worker_says_nothing_where_all_is_well():
    assert app_of(broker_url="redis://broker").queue._warnings() == []
    assert app_of(progress=None).queue._warnings() == []  # wanted


def test_a_worker_says_that_progress_would_be_lost():
    (sentence,) = app_of().queue._warnings()
    assert "SQLAlchemyProgress" in sentence


@pytest.mark.parametrize("option", ["acks_late", "reject_on_worker_lost"])
def test_a_worker_says_that_jobs_would_be_lost(option):
    app = app_of(progress=None, task_annotations={"*": {option: False}})
    (sentence,) = app.queue._warnings()
    assert f"{option}=False" in sentence
    assert ".import_rows" in sentence


def test_a_worker_says_that_its_grace_is_shorter_than_what_jobs_take(tmp_path):
    store = SQLiteProgress(tmp_path / "progress.db")
    app = app_of(progress=store)
    (name,) = app.jobs
    claim = store.claim(JobRecord(id="1", name=name), "worker")
    store.settle(claim, Completed(result="null", progress=None), longest_gap=31.5)
    (sentence,) = app.queue._warnings()
    assert sentence.startswith(f"Job {name!r} went 31.5 s without a checkpoint")
    assert "grace=" in sentence
    store.close()


def test_a_real_worker_says_it(start_worker):
    settings = {"task_annotations": {"*": {"acks_late": False}}}
    worker = start_worker("threads", settings=settings)
    until(lambda: "loses its jobs of" in worker.log, "the sentence")


def test_a_pool_process_of_another_apps_worker_looks_after_no_jobs_of_this_one():
    # It would send them to this app's broker, where nobody knows them.
    app = app_of(broker_url="redis://broker")
    celery.Celery("other", set_as_current=False).set_current()
    app.queue._process_begins()
    assert app.queue._consumer is None


# --- options of tasks


def test_options_of_tasks_are_celerys_own():
    name = f"{__name__}.app_of.<locals>.import_rows"
    app = app_of(task_options={"*": {"rate_limit": "9/m"}, name: {"time_limit": 30}})
    task = app.queue.task(app.jobs[name])
    assert (task.rate_limit, task.time_limit, task.acks_late) == ("9/m", 30, True)


def test_a_mistake_in_the_code_is_not_retried_by_celery():
    app = app_of(task_options={"*": {"autoretry_for": (Exception,), "max_retries": 3}})
    tries = []

    @app.job
    def mistaken(job):
        tries.append(1)
        job.step(lambda: None)

    result = app.queue.task(mistaken).apply()
    assert isinstance(result.result, InvalidStepError)
    assert tries == [1]


# --- priorities


@pytest.mark.parametrize(
    ("default", "ours", "on_redis"),
    [(None, 0, 9), (None, 3, 6), (None, 12, 0), (None, -4, 9), (5, 0, 5), (5, 2, 3), (5, -2, 7)],
)
def test_a_higher_priority_is_a_lower_one_of_redis(default, ours, on_redis):
    app = app_of(broker_url="redis://broker", task_default_priority=default)
    options = app.queue.messages.options(JobRecord(id="1", name="job", priority=ours))
    assert options["priority"] == on_redis


@pytest.mark.parametrize(
    ("default", "ours", "on_rabbitmq"),
    [(None, 0, None), (None, 3, 3), (None, 12, 9), (None, -4, 0), (5, 0, 5), (5, 2, 7)],
)
def test_a_higher_priority_is_a_higher_one_of_rabbitmq(default, ours, on_rabbitmq):
    app = app_of(broker_url="amqp://broker", task_default_priority=default)
    options = app.queue.messages.options(JobRecord(id="1", name="job", priority=ours))
    assert options["priority"] == on_rabbitmq


# --- queues and routes


def message_on(app, queue):
    """The newest message on a queue, which is emptied: a broker in memory is that of all tests."""
    with app.queue.celery_app.connection_for_read() as connection:
        simple, messages = connection.SimpleQueue(queue), []
        while simple.qsize() or not messages:
            messages.append(simple.get(timeout=DEADLINE))
            messages[-1].ack()
        simple.close()
    return messages[-1]


@pytest.mark.parametrize(
    ("settings", "queue"),
    [
        ({}, "celery"),
        ({"task_default_queue": "shop"}, "shop"),
        ({"task_routes": {"*.import_rows": {"queue": "imports"}}}, "imports"),
        ({"task_annotations": {"*": {"queue": "slow"}}}, "slow"),
    ],
)
def test_a_job_is_listed_under_the_queue_that_celery_routes_it_to(tmp_path, settings, queue):
    with closing(SQLiteProgress(tmp_path / "progress.db")) as store:
        app = app_of(progress=store, **settings)
        (job,) = app.jobs.values()
        handle = job.enqueue(1)
        assert handle.info().queue == queue
        assert [info.id for info in app.queue.board.list(queue=queue)] == [handle.id]
        assert message_on(app, queue).headers["id"] == handle.id


@pytest.mark.parametrize(
    "settings",
    [
        {"task_routes": {"*.import_rows": {"queue": "imports", "priority": 7}}},
        {"task_annotations": {"*": {"priority": 7}}},
    ],
    ids=["route", "task"],
)
@pytest.mark.parametrize(("priority", "sent"), [(0, 7), (3, 3)])
def test_a_priority_of_celerys_settings_is_kept(tmp_path, settings, priority, sent):
    with closing(SQLiteProgress(tmp_path / "progress.db")) as store:
        app = app_of(progress=store, **settings)
        (job,) = app.jobs.values()
        handle = job.using(priority=priority).enqueue(1)
        assert message_on(app, handle.info().queue).properties["priority"] == sent


# --- messages


def test_large_progress_stays_out_of_messages_where_there_is_a_store():
    record = JobRecord(id="1", name="job", progress={"values": {"first": "x" * 100_000}})
    stored = app_of(broker_url="redis://broker").queue.messages.options(record)
    assert len(stored["headers"]["continuable"]) < 1000
    unstored = app_of(progress=None).queue.messages.options(record)
    assert len(unstored["headers"]["continuable"]) > 100_000


def test_a_queue_without_celery_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "celery", None)
    monkeypatch.delitem(__import__("sys").modules, "continuable.queues.celery")
    with pytest.raises(ImportError, match=r'pip install "continuable\[celery\]"'):
        import_module("continuable.queues.celery")
