"""What a worker process is called, and whether the one of a name has died."""

from __future__ import annotations

import hashlib
import os
import re
import socket
from functools import cache
from pathlib import Path

BOOT = Path("/proc/sys/kernel/random/boot_id")
NAMESPACE = Path("/proc/self/ns/pid")
DEAD = frozenset("ZX")
"""The states of a process that has ended, and whose parent has not asked yet how."""
NAME = re.compile(r"(?P<host>.+)-(?P<pid>[1-9][0-9]*)-(?P<machine>[0-9a-f]{8})[0-9a-f]{8}")


def new_worker_id() -> str:
    """An id that no other worker ever had: `host-pid-5f3a9c02d1e06b7c`."""
    return f"{_host()}-{os.getpid()}-{machine(_namespace())}{os.urandom(4).hex()}"


def has_died(worker: str) -> bool:
    """Whether the worker of this id is known to have died.

    That is so where its process is gone. Nothing is known of one on another machine or in another
    container, nor where the system does not tell these apart.
    """
    name = NAME.fullmatch(worker)
    if name is None or (name["host"], name["machine"]) != (_host(), machine(_namespace())):
        return False
    try:
        os.kill(int(name["pid"]), 0)
        state = Path(f"/proc/{name['pid']}/stat").read_text("utf-8", "replace").rpartition(")")[2]
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return state.split()[0] in DEAD


@cache
def machine(_namespace: int) -> str:
    """Where the number of a process means the same one: this boot, and this namespace.

    Of a namespace that another one has taken the number of, no process is left.
    """
    try:
        place = f"{BOOT.read_text()} {NAMESPACE.readlink()}"
    except OSError:
        return ""
    return hashlib.sha256(place.encode()).hexdigest()[:8]


def _namespace() -> int:
    try:
        return os.stat(NAMESPACE).st_ino  # noqa: PTH116 - the cheaper one, in a process just forked
    except OSError:
        return 0


def _host() -> str:
    return _spelt(socket.gethostname())


@cache
def _spelt(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-." else "_" for c in name)


new_worker_id()  # what it takes is known to all processes that are forked from here, each for a job
