"""Messages that are lost on Redis, whose jobs would wait for ever.

Celery takes a message from Redis in one step, and notes that it has it in another: a worker that
dies between them, or whose Redis does, takes the message with it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Container
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from redis import Redis

from continuable.errors import JobNotFoundError, JobStateError
from continuable.model.states import State

if TYPE_CHECKING:
    from celery import Celery

    from continuable.model.info import JobInfo
    from continuable.progress.protocol import ProgressStore

AWAITED = {State.WAITING: "restart", State.INTERRUPTED: "resume"}
"""The states of jobs that have a message, and what sends another. A waiting one has no progress."""
MOST = 1000
"""Jobs, and messages that workers hold: beyond these a look would take long, and comes later."""


class LostMessages:
    """Looks for jobs that wait and have no message, and sends them again.

    Only where all messages of a queue are taken can it be told that one is missing.

    Args:
        celery_app: Whose broker has the messages.
        store: Where the jobs are.
        names: The jobs that are sent by this app.
        request: Asks a verb of a job.
    """

    def __init__(
        self,
        celery_app: Celery,
        store: ProgressStore,
        names: Container[str],
        request: Callable[[str, str], object],
    ) -> None:
        self._celery_app = celery_app
        self._store = store
        self._names = names
        self._request = request
        self._missing: set[str] = set()

    def look(self) -> None:
        """Send again what was missing at the look before, too, and is still."""
        missing = {job.id: job for job in self._without_message()}
        again = missing.keys() & self._missing
        self._missing = missing.keys() - again
        for job_id in again:
            with suppress(JobNotFoundError, JobStateError):  # somebody has run it meanwhile
                self._request(job_id, AWAITED[missing[job_id].state])

    @staticmethod
    def is_too_early(job: JobInfo) -> bool:
        """Whether its message is sent later, or was sent this very moment."""
        since = job.run_at or job.saved_at or job.enqueued_at
        return datetime.now(UTC) - since <= timedelta(seconds=1)

    def _without_message(self) -> list[JobInfo]:
        waiting = self._store.list(states=AWAITED, limit=MOST)
        # A store may be shared with an app whose messages are elsewhere.
        own = [job for job in waiting if job.name in self._names and not self.is_too_early(job)]
        if not own:
            return []
        places = {job.id: self._places(job) for job in own}
        with self._celery_app.connection_for_read() as connection:
            if connection.transport.driver_type != "redis":
                return []
            try:
                channel = connection.channel()
                held = _held(channel)
                empty = {
                    place for place in set().union(*places.values()) if _is_empty(channel, place)
                }
            except connection.connection_errors:
                return []  # it is away
        if held is None:
            return []
        return [job for job in own if job.id not in held and places[job.id] <= empty]

    def _places(self, job: JobInfo) -> set[str]:
        """The queues on which its message may be."""
        routed = self._celery_app.amqp.router.route({}, job.name).get("queue")
        return {job.queue, *([routed.name] if routed is not None else [])}


def _is_empty(channel: Any, place: str) -> bool:
    return not channel._size(place)  # noqa: SLF001 - kombu asks itself so


def _held(channel: Any) -> set[str] | None:
    """The ids of the tasks whose messages workers hold; `None`: they are too many."""
    # kombu's own client puts the prefix before the keys of those commands only that it uses.
    client, key = (
        Redis(connection_pool=channel.pool),
        channel.global_keyprefix + channel.unacked_key,
    )
    if client.hlen(key) > MOST:
        return None
    messages = [json.loads(text)[0] for text in client.hvals(key)]
    return {message.get("headers", {}).get("id", "") for message in messages}
