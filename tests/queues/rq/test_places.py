"""When a work horse may use RQ's own connection, which is open already, in the place of ours."""

import pytest
from redis import Redis
from redis.sentinel import Sentinel

from continuable.queues.rq.place import is_one_place

OURS = Redis.from_url("redis://user:secret@there:7000/2")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (OURS, Redis("there", 7000, 2, username="user", password="secret")),
        (OURS, Redis.from_url("redis://user:secret@there:7000/2", socket_timeout=9)),
        (Redis(), Redis.from_url("redis://")),
        (Redis.from_url("unix:///run/redis"), Redis(unix_socket_path="/run/redis")),
    ],
)
def test_two_clients_of_one_place_are_alike(one, other):
    assert is_one_place(one, other)


@pytest.mark.parametrize(
    "other",
    [
        "redis://user:secret@there:7000/3",
        "redis://user:secret@there:7001/2",
        "redis://user:secret@elsewhere:7000/2",
        "redis://user:other@there:7000/2",
        "redis://there:7000/2",
        "rediss://user:secret@there:7000/2",
        "redis://user:secret@there:7000/2?decode_responses=True",
        "unix:///run/redis",
    ],
)
def test_clients_of_two_places_are_not(other):
    assert not is_one_place(OURS, Redis.from_url(other))


def test_a_client_that_asks_a_sentinel_where_to_go_is_left_alone():
    master = Sentinel([("there", 26379)]).master_for("redis")
    assert not is_one_place(master, master)
