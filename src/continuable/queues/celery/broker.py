"""What is in the Redis that is Celery's broker: messages, and the signs of life of workers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

from celery import Celery
from redis import Redis

MOST = 1000
"""Messages on a queue, or held by workers: beyond these a look would take long."""
WORKERS = "continuable:celery-workers"
"""A sorted set of workers, by the time at which each was alive."""
REMEMBERED = 86_400.0
"""Seconds for which a worker is remembered that has died."""

A = TypeVar("A")


class RedisBroker:
    """A look at it, through a connection of kombu's: the same server, database and prefix."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        # kombu's own client puts the prefix before the keys of those commands only that it uses.
        self._client: Redis = Redis(connection_pool=channel.pool)

    def messages_on(self, queue: str) -> set[str] | None:
        """The ids of the tasks that wait on a queue; `None`: they are too many to read."""
        keys = [
            self._key(self._channel._q_for_pri(queue, priority))  # noqa: SLF001 - as kombu names it
            for priority in self._channel.priority_steps
        ]
        if sum(self._client.llen(key) for key in keys) > MOST:
            return None
        texts = [text for key in keys for text in self._client.lrange(key, 0, -1)]
        return {_id_in(json.loads(text)) for text in texts}

    def messages_held(self) -> set[str] | None:
        """The ids of the tasks whose messages workers hold; `None`: they are too many to read."""
        key = self._key(self._channel.unacked_key)
        if self._client.hlen(key) > MOST:
            return None
        return {_id_in(json.loads(text)[0]) for text in self._client.hvals(key)}

    def note_alive(self, worker: str) -> None:
        """The worker is alive."""
        now = time.time()
        self._client.zadd(self._key(WORKERS), {worker: now})
        self._client.zremrangebyscore(self._key(WORKERS), 0, now - REMEMBERED)

    def note_ended(self, worker: str) -> None:
        """The worker has ended in order, and given back what it had."""
        self._client.zrem(self._key(WORKERS), worker)

    def alive_last(self) -> list[float]:
        """When each worker was alive last that has not ended in order."""
        found: list[tuple[bytes, float]] = self._client.zrange(  # type: ignore[assignment]
            self._key(WORKERS), 0, -1, withscores=True
        )
        return [at for _, at in found]

    def started_at(self) -> float:
        """When the server was started."""
        return time.time() - float(self._client.info("server")["uptime_in_seconds"])

    def _key(self, name: str) -> str:
        return f"{self._channel.global_keyprefix}{name}"


def on_broker(celery_app: Celery, look: Callable[[RedisBroker], A]) -> A | None:
    """What `look` says of the broker; `None`: it is no Redis, or away."""
    with celery_app.connection_for_read() as connection:
        if connection.transport.driver_type != "redis":
            return None
        try:
            return look(RedisBroker(connection.channel()))
        except connection.connection_errors:
            return None


def _id_in(message: dict[str, Any]) -> str:
    return str((message.get("headers") or {}).get("id", ""))
