"""Files and folders of ours, which may stand in a folder that others can write.

They belong to this user alone; and to the group where the umask lets the group write, as it does
where somebody has set it so on purpose (002, 007). A symbolic link is never followed: it could
turn a write of ours into one elsewhere.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path

FILE = 0o660
FOLDER = 0o770
CLOSED = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)


def open_private(path: Path | str, flags: int) -> int:
    """Open a file of ours; with `os.O_CREAT`, it is made where it is missing.

    Raises `OSError`: with `ELOOP`, there is a symbolic link.
    """
    if not flags & os.O_CREAT:
        return os.open(path, flags | CLOSED)
    try:
        descriptor = os.open(path, flags | os.O_EXCL | CLOSED, FILE)
    except FileExistsError:
        return os.open(path, flags & ~os.O_CREAT | CLOSED)
    narrow(descriptor, FILE)
    return descriptor


def make_private(path: Path) -> None:
    """Make an empty file where there is none. An error is left to the one who opens it."""
    with contextlib.suppress(OSError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | CLOSED, FILE))
        narrow(path, FILE)


def make_folder(path: Path) -> None:
    """Make a folder of ours where it is missing; `OSError` with `ELOOP` for a symbolic link."""
    with contextlib.suppress(FileExistsError):
        path.mkdir(FOLDER)
        narrow(path, FOLDER)
    if path.is_symlink():
        raise OSError(errno.ELOOP, "it is a symbolic link", str(path))


def narrow(place: Path | int, wanted: int) -> None:
    """Leave a new file to its user, unless the umask has let its group write."""
    if not stat.S_IMODE(os.stat(place).st_mode) & stat.S_IWGRP:  # noqa: PTH116 - or a descriptor
        os.chmod(place, wanted & stat.S_IRWXU)  # noqa: PTH101 - as above
