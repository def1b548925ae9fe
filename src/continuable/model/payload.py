"""A job as it travels and waits: plain data that every queue can carry."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from continuable.errors import DeserializationError

VERSION = 1


@dataclass(slots=True, kw_only=True)
class JobRecord:
    """One job and how far it has come.

    `arguments`, and the values inside `progress`, are in the plain form that
    `continuable.serialization` gives them, so that a record can be read by people and tools
    that know none of the job's types.
    """

    id: str
    name: str
    arguments: str = "[[],{}]"
    """JSON of `[args, kwargs]`."""
    queue: str | None = None
    """`None`: the engine's own default queue."""
    priority: int = 0
    executions: int = 0
    resumptions: int = 0
    delivery: int = 0
    """Counts up with every message that is sent for the job: a store tells a stale one by it."""
    progress: dict[str, Any] = field(default_factory=dict)
    envelope: str | None = None
    """What the engine needs to send a message in the place of this one: its headers, its place in
    a workflow. Text of the adapter's own, kept by stores and no part of the payload."""

    def to_json(self) -> str:
        """The payload as one line of JSON."""
        return json.dumps(self.to_plain(), separators=(",", ":"))

    def to_plain(self) -> dict[str, Any]:
        """The payload, for a message that is JSON as a whole."""
        args, kwargs = json.loads(self.arguments)
        return {
            "v": VERSION,
            "id": self.id,
            "name": self.name,
            "args": args,
            "kwargs": kwargs,
            "queue": self.queue,
            "priority": self.priority,
            "executions": self.executions,
            "resumptions": self.resumptions,
            "delivery": self.delivery,
            "progress": self.progress,
        }

    @classmethod
    def from_json(cls, text: str) -> JobRecord:
        """Read a payload back; `DeserializationError` where it is not one of ours."""
        try:
            plain = json.loads(text)
        except (ValueError, TypeError, RecursionError) as error:
            raise _unreadable(error, text) from error
        return cls.from_plain(plain)

    @classmethod
    def from_plain(cls, plain: Any) -> JobRecord:
        """Read back what `to_plain` has given; `DeserializationError` as above."""
        try:
            version = plain["v"]
            if version != VERSION:
                message = (
                    f"Payload of version {version!r}, but this release reads version {VERSION}: "
                    f"run it on the release that wrote it"
                )
                raise DeserializationError(message)
            args, kwargs = _typed(plain, "args", list), _typed(plain, "kwargs", dict)
            return cls(
                id=_typed(plain, "id", str),
                name=_typed(plain, "name", str),
                arguments=json.dumps([args, kwargs], separators=(",", ":")),
                queue=_typed(plain, "queue", str, type(None)),
                priority=_typed(plain, "priority", int),
                executions=_typed(plain, "executions", int),
                resumptions=_typed(plain, "resumptions", int),
                delivery=_typed(plain, "delivery", int),
                progress=_typed(plain, "progress", dict),
            )
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            if isinstance(error, DeserializationError):
                raise
            raise _unreadable(error, plain) from error


def _unreadable(error: Exception, payload: Any) -> DeserializationError:
    return DeserializationError(f"Unreadable payload ({error!r}): {payload!r:.200}")


def _typed(plain: dict[str, Any], key: str, *kinds: type) -> Any:
    value = plain[key]
    if type(value) not in kinds:
        message = f"{key!r} is {value!r:.80}"
        raise TypeError(message)
    return value


@dataclass(slots=True, kw_only=True)
class Enqueueing:
    """How one record is to be put on the queue."""

    record: JobRecord
    run_at: float | None = None
    """Seconds since the epoch before which it must not start."""
    wait: float = 0.0
    """Seconds from now before which it must not start."""
    unique: str | None = None
    """At most one unfinished job may have this key."""
    has_chosen_id: bool = False
    """The caller chose the id, so that it may be taken already."""


@dataclass(slots=True)
class Enqueued:
    """What became of one `Enqueueing`."""

    id: str
    is_new: bool
    """False: an unfinished job of that `unique` key was there already, and this is its id."""
