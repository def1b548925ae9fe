"""The Lua scripts in `*.lua`: each is one atomic step on the server, on the server's clock."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from redis import ConnectionPool
from redis import exceptions as errors

# Read and hashed once, and not by each process that is forked for a job.
TEXTS = {path.stem: path.read_text("utf-8") for path in Path(__file__).parent.glob("*.lua")}
HASHES = {
    name: hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    for name, text in TEXTS.items()
}
"""What the server calls each."""

FEW = 16
"""Calls of one process: after these, connections are kept."""
KEPT = 4
"""Connections, at most."""
PLENTY = 50
"""Connections that a client must have for some to be kept."""
UNANSWERED = (errors.ConnectionError, errors.TimeoutError)


class Scripts:
    """Runs them, over connections of the client's that it keeps.

    To take one from its pool for each call, with all that the client does around a call, costs as
    much again as the call. A process that was forked for one job has no use for others than those
    that are open.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        pool = getattr(client, "connection_pool", None)  # a cluster's client has none
        self._keeps_any = isinstance(pool, ConnectionPool) and pool.max_connections >= PLENTY
        self._process = 0
        self._calls = 0
        self._kept: list[Any] = []

    def run(self, name: str, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
        """What the script of that name answers."""
        command = ("EVALSHA", HASHES[name], len(keys), *keys, *arguments)
        try:
            return self._call(command)
        except errors.NoScriptError:  # the server is a new one
            self._client.script_load(TEXTS[name])
            return self._call(command)

    def close(self) -> None:
        """Give back what is kept."""
        while self._kept:
            self._kept.pop().close()

    def _call(self, command: tuple[Any, ...]) -> Any:
        if self._process != os.getpid():  # which is a fork: those kept are its parent's
            self._process, self._calls, self._kept = os.getpid(), 0, []
        self._calls += 1
        if not self._keeps_any or self._calls <= FEW:
            return self._client.execute_command(*command)
        client = self._take()
        try:
            return _call_directly(client, command)
        finally:
            if len(self._kept) < KEPT:
                self._kept.append(client)
            else:
                client.close()

    def _take(self) -> Any:
        try:
            return self._kept.pop()
        except IndexError:
            return self._client.client()


def _call_directly(client: Any, command: tuple[Any, ...]) -> Any:
    connection = client.connection
    if _is_stale(connection):
        connection.disconnect()
    try:
        connection.send_command(*command)
        return connection.read_response()
    except errors.ResponseError:
        raise
    except UNANSWERED:  # the client has its rules for trying again
        connection.disconnect()
        return client.execute_command(*command)
    except BaseException:
        connection.disconnect()  # an answer may be on its way still
        raise


def _is_stale(connection: Any) -> bool:
    """Whether there is anything to read before anything was asked: its end, most likely."""
    try:
        return bool(connection.can_read())
    except (errors.RedisError, OSError):
        return True
