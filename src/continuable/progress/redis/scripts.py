"""The Lua scripts in `*.lua`: each is one atomic step on the server, on the server's clock."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from redis.exceptions import NoScriptError

# Read and hashed once, and not by each process that is forked for a job.
TEXTS = {path.stem: path.read_text("utf-8") for path in Path(__file__).parent.glob("*.lua")}
HASHES = {
    name: hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    for name, text in TEXTS.items()
}
"""What the server calls each."""


def run(client: Any, name: str, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
    """What the script of that name answers.

    The client's own `Script` does the same, in more steps.
    """
    command = ("EVALSHA", HASHES[name], len(keys), *keys, *arguments)
    try:
        return client.execute_command(*command)
    except NoScriptError:  # the server is a new one
        client.script_load(TEXTS[name])
        return client.execute_command(*command)
