"""The connections that `RedisProgress` keeps for its scripts never mix up, or outlive, anything."""

import os
import signal
import threading
from uuid import uuid4

import pytest
from redis import BlockingConnectionPool, Redis

from continuable.progress.redis.scripts import FEW, KEPT, Scripts
from tests.waiting import DEADLINE


class Late(Exception):
    """Raised by a signal, wherever the main thread is."""


@pytest.fixture
def client(redis_server):
    with Redis.from_url(redis_server.url, client_name=f"scripts-{uuid4().hex}") as client:
        yield client


@pytest.fixture
def scripts(client):
    scripts = Scripts(client)
    for _ in range(FEW + 1):
        assert read(scripts, "missing") == []
    yield scripts
    scripts.close()


def read(scripts: Scripts, key: str) -> list[bytes]:
    """The fields of a hash."""
    return scripts.run("read", [key], [])[2]


def connections(client: Redis) -> list[dict[str, str]]:
    """The connections of this test alone."""
    name = client.connection_pool.connection_kwargs["client_name"]
    return [found for found in client.client_list() if found["name"] == name]


def test_a_connection_that_the_server_has_closed_is_opened_again(client, scripts, redis_server):
    with Redis.from_url(redis_server.url) as other:
        for found in connections(client):
            other.client_kill_filter(_id=found["id"])
    assert read(scripts, "missing") == []


def test_a_server_that_has_lost_its_scripts_is_told_them_again(client, scripts):
    client.script_flush()
    assert read(scripts, "missing") == []


def test_a_call_that_was_broken_off_leaves_no_answer_to_the_next_one(client, scripts, redis_server):
    key = str(uuid4())
    client.hset(key, "name", "answer")

    def interrupt(_number, _frame):
        raise Late

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with Redis.from_url(redis_server.url) as other:
            other.client_pause(300)
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(Late):
            read(scripts, key)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert read(scripts, "missing") == []
    assert read(scripts, key) == [b"name", b"answer"]


def test_a_fork_has_connections_of_its_own(client, scripts):
    key = str(uuid4())
    client.hset(key, "name", "parent")
    child = os.fork()
    if child == 0:
        answers = [read(scripts, "missing") for _ in range(5 * FEW)]
        os._exit(0 if answers == [[]] * (5 * FEW) else 1)
    assert [read(scripts, key) for _ in range(5 * FEW)] == [[b"name", b"parent"]] * (5 * FEW)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_threads_share_few_of_them(client, scripts):
    together = threading.Barrier(4 * KEPT)

    def read_often():
        together.wait(DEADLINE)
        for _ in range(20):
            assert read(scripts, "missing") == []

    threads = [threading.Thread(target=read_often) for _ in range(4 * KEPT)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= len(scripts._kept) <= KEPT


def test_of_a_client_that_has_few_none_is_kept(redis_server):
    pool = BlockingConnectionPool.from_url(redis_server.url, max_connections=1, timeout=1)
    with Redis(connection_pool=pool) as client:
        scripts = Scripts(client)
        for _ in range(2 * FEW):
            assert read(scripts, "missing") == []
        assert client.ping()
    pool.disconnect()


def test_what_is_kept_is_given_back(client, scripts):
    assert scripts._kept
    scripts.close()
    assert not client.connection_pool._in_use_connections
