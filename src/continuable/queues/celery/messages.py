"""What of a job rides in a message of Celery's, and how a message is put in another's place.

Arguments are the task's own. The rest of the `JobRecord` is in one header. Everything else that
Celery knows of a message (its queue, its place in a chain, chord or group, its callbacks, time
limits and headers) is the record's envelope.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from celery import Task
from kombu.utils import json as celerys_json

from continuable.model.payload import JobRecord

if TYPE_CHECKING:
    from celery import Celery

    from continuable.core.definition import Definition
    from continuable.progress.protocol import ProgressStore

HEADER = "continuable"
REDELIVERED = "redelivered"
HEADER_LIMIT = 64 * 1024
"""Characters: RabbitMQ closes the connection on headers of 128 KiB."""
PLACE = ("exchange", "routing_key", "queue")
LAST = 9
"""The last priority of Celery's: on Redis the lowest, elsewhere the highest."""


class Messages:
    """Reads and writes the messages of one queue."""

    def __init__(self, celery_app: Celery, get_store: Callable[[], ProgressStore]) -> None:
        self._celery_app = celery_app
        self._get_store = get_store
        self._is_redis: bool | None = None

    def record(self, task: Any, job: Definition) -> JobRecord:
        """The job of the message that `task` was delivered with; a new one if it is not ours."""
        request = task.request
        args, kwargs = list(request.args), dict(request.kwargs)
        plain = self._header(request)
        if plain.get("id") == request.id and plain.get("name") == job.name:
            record = JobRecord.from_plain({**plain, "args": args, "kwargs": kwargs})
        else:
            place = request.delivery_info or {}
            record = JobRecord(
                id=request.id,
                name=job.name,
                arguments=job.plain_arguments(args, kwargs),
                queue=place.get("routing_key") if place.get("exchange") == "" else None,
                priority=self._our_priority(place.get("priority")),
            )
        record.envelope = celerys_json.dumps(  # type: ignore[no-untyped-call]
            {"options": own_options(task), "queue": record.queue, "priority": record.priority}
        )
        return record

    def is_ours(self, request: Any) -> bool:
        """Whether `enqueue`, or a resumption, has sent the message."""
        return bool(self._header(request).get("id") == request.id)

    def is_retry(self, request: Any) -> bool:
        """Whether Celery itself runs the task again after a failure."""
        return bool(request.retries and request.retries > self._header(request).get("retries", 0))

    def options(self, record: JobRecord) -> dict[str, Any]:
        """The options of `apply_async` for a message about `record`."""
        envelope = celerys_json.loads(record.envelope or '{"options": {}}')  # type: ignore[no-untyped-call]
        options: dict[str, Any] = envelope["options"]
        if record.queue is not None and record.queue != envelope.get("queue"):
            options = {name: value for name, value in options.items() if name not in PLACE}
            options["queue"] = record.queue
        is_said = bool(record.priority or record.envelope)
        if record.priority != envelope.get("priority") and (
            is_said or not self._routes_say(record)
        ):
            options["priority"] = self._priority(record.priority)
        header = self._header_of(record, options.get("retries", 0))
        options["headers"] = {**options.get("headers", {}), HEADER: header}
        return {"task_id": record.id, "add_to_parent": False, **options}

    def queue(self, record: JobRecord) -> str | None:
        """The queue that Celery's settings name for a job; `None`: they name an exchange."""
        args, kwargs = json.loads(record.arguments)
        task = self._celery_app.tasks.get(record.name)
        if any(getattr(task, place, None) for place in PLACE):
            return getattr(task, "queue", None)
        route = self._celery_app.amqp.router.route({}, record.name, args, kwargs, task)
        is_exchange = route.get("exchange") or route.get("routing_key")
        return None if is_exchange or "queue" not in route else str(route["queue"].name)

    def _routes_say(self, record: JobRecord) -> bool:
        """Whether the task, or its route, has a priority of Celery's."""
        task = self._celery_app.tasks.get(record.name)
        if getattr(task, "priority", None) is not None:
            return True
        if not self._celery_app.conf.task_routes:
            return False
        args, kwargs = json.loads(record.arguments)
        route = self._celery_app.amqp.router.route({}, record.name, args, kwargs, task)
        return route.get("priority") is not None

    def _header_of(self, record: JobRecord, retries: int) -> str:
        plain = record.to_plain()
        del plain["args"], plain["kwargs"]
        plain["retries"] = retries
        text = json.dumps(plain, separators=(",", ":"))
        if len(text) > HEADER_LIMIT and self._get_store().is_durable:
            # The store has it, and is what counts.
            text = json.dumps({**plain, "progress": {}}, separators=(",", ":"))
        return text

    @staticmethod
    def _header(request: Any) -> dict[str, Any]:
        text = request.get(HEADER)
        if text is None and request.is_eager:  # there these headers are not part of the request
            text = (request.headers or {}).get(HEADER)
        header: dict[str, Any] = json.loads(text or "{}")
        return header

    # --- ours: higher first, 0 where nobody says otherwise

    def _priority(self, priority: int) -> int | None:
        default = self._celery_app.conf.task_default_priority
        if self._lowest_is_last:
            return _within(LAST if default is None else default, -priority)
        if priority == 0 and default is None:
            return None
        return _within(default or 0, priority)

    def _our_priority(self, celerys: int | None) -> int:
        if celerys is None:
            return 0
        default = self._celery_app.conf.task_default_priority
        if self._lowest_is_last:
            return int((LAST if default is None else default) - celerys)
        return int(celerys - (default or 0))

    @property
    def _lowest_is_last(self) -> bool:
        if self._is_redis is None:
            with self._celery_app.connection_for_write() as connection:
                self._is_redis = connection.transport.driver_type == "redis"
        return self._is_redis


def send_again(task: Any, args: Any, kwargs: Any, options: dict[str, Any]) -> None:
    """Send a message of a job that is under way, as Celery itself does.

    An `apply_async` of the user's own (of a base class that lets a task run once at a time, say)
    has seen the job before, and would take it for another one.
    """
    Task.apply_async(task, args, kwargs, **options)


def own_options(task: Any) -> dict[str, Any]:
    """What Celery knows of the message that `task` was delivered with, without what is ours."""
    options = dict(task.signature_from_request(task.request).options)
    headers = dict(options.get("headers") or {})
    for name in (HEADER, REDELIVERED):
        headers.pop(name, None)
    options.pop(REDELIVERED, None)
    options.pop("task_id", None)
    options["headers"] = headers
    return {name: value for name, value in options.items() if value is not None}


def _within(base: int, step: int) -> int:
    return max(0, min(LAST, base + step))
