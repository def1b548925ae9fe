"""Progress is kept where Celery's own settings point: prefixes, sentinels, TLS and time-outs."""

import celery
import pytest
from redis import Redis, RedisError, SSLConnection
from redis.sentinel import Sentinel

from continuable import App
from continuable.conformance.engine import folder_of
from continuable.conformance.jobs import HELD_AT, ROWS
from continuable.conformance.journal import Journal
from continuable.demo import servers
from continuable.model.states import State
from continuable.progress.redis import RedisProgress
from continuable.queues.celery import CeleryQueue
from continuable.queues.celery.broker import on_broker
from continuable.queues.celery.lost import LOOKS, PRECISION, LostMessages
from tests.queues.celery import project_on_settings
from tests.queues.celery.conftest import await_hold
from tests.servers.processes import Server
from tests.waiting import DEADLINE, until

APP = f"{project_on_settings.__name__}:celery_app"


def queue_of(**settings):
    celery_app = celery.Celery("project", set_as_current=False)
    celery_app.conf.update(settings)
    queue = CeleryQueue(celery_app)
    App(queue=queue)
    return queue


def pool_of(queue):
    assert isinstance(queue.store, RedisProgress)
    return queue.store.client.connection_pool


@pytest.fixture
def redis(worker_environment, redis_server):
    with Redis.from_url(redis_server.url) as client:
        client.flushall()
        yield client


# --- what is taken from the settings


BROKER = {"broker_url": "redis://broker/1"}
BACKEND = {"broker_url": "amqp://broker", "result_backend": "redis://results/1"}


@pytest.mark.parametrize(
    "settings",
    [
        BROKER | {"broker_transport_options": {"socket_timeout": 3, "socket_connect_timeout": 2}},
        BACKEND | {"redis_socket_timeout": 3.0, "redis_socket_connect_timeout": 2.0},
    ],
    ids=["broker", "backend"],
)
def test_time_outs_are_celerys(settings):
    options = pool_of(queue_of(**settings)).connection_kwargs
    assert (options["socket_timeout"], options["socket_connect_timeout"]) == (3, 2)


@pytest.mark.parametrize("settings", [BROKER, BACKEND], ids=["broker", "backend"])
def test_time_outs_are_shorter_than_a_lease_where_celery_sets_none(settings):
    options = pool_of(queue_of(**settings)).connection_kwargs
    assert (options["socket_timeout"], options["socket_connect_timeout"]) == (10, 5)


@pytest.mark.parametrize(
    "settings",
    [
        {"broker_url": "rediss://broker/1?ssl_cert_reqs=CERT_NONE"},
        {"broker_url": "rediss://broker/1", "broker_use_ssl": {"ssl_cert_reqs": "none"}},
        {"broker_url": "redis://broker/1", "broker_use_ssl": {"ssl_cert_reqs": "none"}},
        {"broker_url": "amqp://", "result_backend": "rediss://r/1?ssl_cert_reqs=CERT_NONE"},
        {
            "broker_url": "amqp://",
            "result_backend": "redis://r/1",
            "redis_backend_use_ssl": {"ssl_cert_reqs": "none"},
        },
    ],
)
def test_tls_is_celerys(settings):
    pool = pool_of(queue_of(**settings))
    assert issubclass(pool.connection_class, SSLConnection)
    connection = pool.connection_class(**pool.connection_kwargs)
    assert connection.cert_reqs.name == "CERT_NONE"


@pytest.mark.parametrize(
    "settings",
    [
        BROKER | {"broker_transport_options": {"global_keyprefix": "staging:"}},
        BACKEND | {"result_backend_transport_options": {"global_keyprefix": "staging:"}},
    ],
    ids=["broker", "backend"],
)
def test_the_prefix_of_all_keys_is_celerys(settings):
    assert queue_of(**settings).store._prefix == "staging:continuable:"


@pytest.mark.parametrize(
    "broker", [["redis://first/1", "redis://second/1"], "redis://first/1;redis://second/1"]
)
def test_a_worker_says_that_a_list_of_brokers_needs_a_store(broker):
    (sentence,) = queue_of(broker_url=broker)._warnings()
    assert "(first)" in sentence
    assert "progress=SQLAlchemyProgress" in sentence
    assert "DjangoProgress" in sentence


# --- servers


def test_keys_stay_within_the_prefix(redis, start_worker, folder):
    settings = {
        "broker_transport_options": {"global_keyprefix": "staging:"},
        "result_backend_transport_options": {"global_keyprefix": "staging:"},
    }
    project = project_on_settings.make(settings)
    handle = project.note_that_it_ran.enqueue(folder, "ran")
    start_worker("threads", settings=settings, app=APP)
    assert handle.result(timeout=DEADLINE) == "ran"
    assert [key for key in redis.scan_iter() if not key.startswith(b"staging:")] == []


@pytest.mark.slow
def test_a_killed_job_is_not_resumed_by_the_workers_of_another_prefix(
    redis, start_worker, folder, journal, tmp_path
):
    def settings(place):
        return {"broker_transport_options": {"global_keyprefix": f"{place}:"}}

    production = project_on_settings.make(settings("production"))
    staging = project_on_settings.make(settings("staging"))
    handle = production.copy_rows.enqueue(folder)
    first = start_worker("threads", settings=settings("production"), app=APP)
    await_hold(journal)
    until(lambda: handle.info().cursor == HELD_AT, "the save of where it waits")
    first.signal_all(9)
    first.wait()
    journal.release()
    start_worker("threads", settings=settings("staging"), app=APP)
    other = str(folder_of(tmp_path, "staging"))
    assert staging.note_that_it_ran.enqueue(other, "ran").result(timeout=DEADLINE) == "ran"
    assert staging.app.queue.store.recover() == []
    assert staging.app.queue.board.list(states={State.RUNNING}) == []
    assert len(journal.begins) == 1
    start_worker("threads", settings=settings("production"), app=APP)
    assert handle.result(timeout=DEADLINE) == ROWS
    assert len(Journal(folder).begins) == 2


@pytest.mark.parametrize("prefix", ["", "staging:"])
def test_messages_that_a_worker_holds_are_seen_behind_a_prefix(redis, prefix, folder):
    options = {"global_keyprefix": prefix} if prefix else {}
    project = project_on_settings.make({"broker_transport_options": options})
    handle = project.note_that_it_ran.enqueue(folder, "ran")
    queue = project.app.queue
    assert not queue.missing([handle.info()])
    with project.celery_app.connection_for_read() as connection:
        simple = connection.SimpleQueue("celery")
        message = simple.get(timeout=DEADLINE)  # as a worker does that has others to run before
        assert not queue.missing([handle.info()])
        message.ack()
        simple.close()
    assert queue.missing([handle.info()]) == {handle.id}


def test_a_purge_is_noticed_where_celery_keeps_no_results(redis, redis_server, folder):
    with redis_server.connected() as client:  # which has not just been started
        until(lambda: client.info("server")["uptime_in_seconds"] > 2 * PRECISION)
    project = project_on_settings.make({"result_backend": None})
    handle = project.note_that_it_ran.enqueue(folder, "ran")
    assert project.celery_app.control.purge() == 1
    lost = LostMessages(project.celery_app, project.app.queue.store, "worker")
    looks = [lost.purged([handle.info()]) for _ in range(LOOKS)]
    assert looks == [*[[]] * (LOOKS - 1), [handle.id]]


@pytest.mark.parametrize(
    ("given", "seconds"),
    [({}, 10.0), ({"socket_timeout": 3.0, "socket_connect_timeout": 3.0}, 3.0)],
)
def test_a_look_at_the_broker_waits_no_longer_than_the_store_does(redis, given, seconds):
    project = project_on_settings.make({"broker_transport_options": given})
    connected = on_broker(project.celery_app, lambda broker: broker.client.connection_pool)
    assert connected.connection_kwargs["socket_timeout"] == seconds


def test_no_message_is_looked_for_where_no_job_waits(redis):
    project = project_on_settings.make({})
    lost = LostMessages(project.celery_app, project.app.queue.store, "worker")
    before = redis.info("commandstats")
    assert lost.purged([]) == []
    after = redis.info("commandstats")
    for command in ("cmdstat_hlen", "cmdstat_hvals"):
        assert after.get(command) == before.get(command)


class SentinelServer(Server):
    """Names the server that is the master."""

    def __init__(self, redis_server):
        super().__init__("sentinel")
        self._redis_server = redis_server
        self.begin()

    def begin(self):
        settings = self.folder / "sentinel.conf"
        settings.write_text(
            f"port {self.port}\nbind 127.0.0.1\n"
            f"sentinel monitor shop 127.0.0.1 {self._redis_server.port} 1\n",
            encoding="utf-8",
        )
        self.start([servers.RedisServer.installed(), settings, "--sentinel"], self.is_ready)

    def is_ready(self):
        try:
            found = Sentinel([("127.0.0.1", self.port)], socket_timeout=2).discover_master("shop")
        except RedisError:
            return False
        return found[1] == self._redis_server.port


@pytest.fixture
def sentinel(redis_server):
    with SentinelServer(redis_server) as server:
        yield server


@pytest.mark.parametrize("place", ["broker", "backend"])
def test_progress_is_on_the_server_that_the_sentinels_name(redis, redis_server, sentinel, place):
    url = f"sentinel://127.0.0.1:{sentinel.port}/1;sentinel://127.0.0.1:{sentinel.port}/1"
    options = {"master_name": "shop", "global_keyprefix": "staging:"}
    settings = {
        "broker": {"broker_url": url, "broker_transport_options": options},
        "backend": {"result_backend": url, "result_backend_transport_options": options}
        | {"broker_url": "memory://"},
    }
    project = project_on_settings.make(settings[place])
    handle = project.note_that_it_ran.using(id="job-1").enqueue("folder", "ran")
    assert handle.state() is State.WAITING
    with Redis(port=redis_server.port, db=1) as client:
        assert client.keys("staging:continuable:*job-1")
    assert project.app.queue._warnings() == []


@pytest.mark.slow
def test_a_job_runs_where_sentinels_name_broker_and_results(
    redis, sentinel, start_worker, folder, journal
):
    url = f"sentinel://127.0.0.1:{sentinel.port}"
    options = {"master_name": "shop"}
    settings = {
        "broker_url": url,
        "result_backend": url,
        "broker_transport_options": options,
        "result_backend_transport_options": options,
    }
    journal.release()
    handle = project_on_settings.make(settings).copy_rows.enqueue(folder)
    worker = start_worker("threads", settings=settings, app=APP)
    assert handle.result(timeout=DEADLINE) == ROWS, worker.log
