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
        self.client: Redis = Redis(connection_pool=channel.pool)

    def messages_on(self, queue: str) -> set[str] | None:
        """The ids of the tasks that wait on a queue; `None`: they are too many to read."""
        if self._channel._size(queue) > MOST:  # noqa: SLF001 - kombu asks itself so
            return None
        with self.client.pipeline(transaction=False) as pipeline:
            for priority in self._channel.priority_steps:
                name = self._channel._q_for_pri(queue, priority)  # noqa: SLF001 - as kombu names it
                pipeline.lrange(self._key(name), 0, -1)
            lists = pipeline.execute()
        return {_id_in(json.loads(text)) for texts in lists for text in texts}

    def messages_held(self) -> set[str] | None:
        """The ids of the tasks whose messages workers hold; `None`: they are too many to read."""
        key = self._key(self._channel.unacked_key)
        if self.client.hlen(key) > MOST:
            return None
        return {_id_in(json.loads(text)[0]) for text in self.client.hvals(key)}

    def note_alive(self, worker: str) -> None:
        """The worker is alive."""
        now = time.time()
        self.client.zadd(self._key(WORKERS), {worker: now})
        self.client.zremrangebyscore(self._key(WORKERS), 0, now - REMEMBERED)

    def note_ended(self, worker: str) -> None:
        """The worker has ended in order, and given back what it had."""
        self.client.zrem(self._key(WORKERS), worker)

    def alive_last(self) -> list[float]:
        """When each worker was alive last that has not ended in order."""
        found: list[tuple[bytes, float]] = self.client.zrange(  # type: ignore[assignment]
            self._key(WORKERS), 0, -1, withscores=True
        )
        return [at for _, at in found]

    def started_at(self) -> float:
        """When the server was started."""
        return time.time() - float(self.client.info("server")["uptime_in_seconds"])

    def _key(self, name: str) -> str:
        return f"{self._channel.global_keyprefix}{name}"


def on_broker(celery_app: Celery, look: Callable[[RedisBroker], A]) -> A | None:
    """What `look` says of the broker; `None`: it is no Redis, or away."""
    from continuable.progress.redis.store import TIMEOUTS

    # Celery's own connections may wait for ever, as kombu does unless it is told otherwise.
    options = {**TIMEOUTS, **(celery_app.conf.broker_transport_options or {})}
    with celery_app.connection_for_read(transport_options=options) as connection:
        if connection.transport.driver_type != "redis":
            return None
        try:
            return look(RedisBroker(connection.channel()))
        except connection.connection_errors:
            return None


def _id_in(message: dict[str, Any]) -> str:
    return str((message.get("headers") or {}).get("id", ""))
