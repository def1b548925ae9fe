"""Where a connection leads to."""

from __future__ import annotations

from typing import Any

from redis import ConnectionPool

SETTINGS = {
    "host": "localhost",
    "port": 6379,
    "path": None,
    "db": 0,
    "username": None,
    "password": None,
    "credential_provider": None,
    "decode_responses": False,
    "encoding": "utf-8",
    "encoding_errors": "strict",
}
"""What two connections must have alike to be of the same use, and what each is by default."""


def is_one_place(one: Any, other: Any) -> bool:
    """Whether two clients have the same database of the same server, and replies alike."""
    pools = one.connection_pool, other.connection_pool
    if any(type(pool) is not ConnectionPool for pool in pools):  # as with sentinels
        return False
    if pools[0].connection_class is not pools[1].connection_class:
        return False
    mine, others = (pool.connection_kwargs for pool in pools)
    return all(mine.get(name, usual) == others.get(name, usual) for name, usual in SETTINGS.items())
