"""Fingerprints: they tell that data has changed since a cursor was taken."""

import json
import os
from collections.abc import Iterable
from hashlib import blake2b
from reprlib import repr as short_repr
from typing import Any

from continuable.errors import SourceChangedError

MEBIBYTE = 1024 * 1024
READ_WHOLE_UP_TO = 64 * MEBIBYTE
BLOCK = MEBIBYTE
SAMPLES = READ_WHOLE_UP_TO // BLOCK


def file_fingerprint(path: str | os.PathLike[str]) -> dict[str, int | str]:
    """Size in bytes and a digest of the content: the same for a copy on another machine.

    Times and inode are left out on purpose, since a deploy or a copy changes them. Up to 64 MiB
    the digest covers every byte; beyond, 64 blocks of 1 MiB from the first to the last, so that
    a resume does not wait for a huge file to be read. A change between those blocks that leaves
    the size as it was goes unnoticed then. A missing file is a `FileNotFoundError`.
    """
    digest = blake2b(digest_size=16)
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        for offset in _block_offsets(size):
            file.seek(offset)
            digest.update(file.read(BLOCK))
    return {"bytes": size, "blake2b": digest.hexdigest()}


def item_fingerprint(item: Any) -> dict[str, str] | None:
    """A digest of a text, a number or a tuple of those; `None` for anything else.

    A record or a page may have changed in some field, and be the same nevertheless.
    """
    if not _is_a_name(item):
        return None
    return {"item": blake2b(json.dumps(item).encode(), digest_size=8).hexdigest()}


def check_fingerprint(source_name: str, then: Any, now: Any) -> None:
    """Raise `SourceChangedError` if the fingerprint `then`, kept with the cursor, differs `now`.

    `None` stands for a source without a fingerprint, and equals any other.
    """
    if then is None or now is None or then == now:
        return
    raise SourceChangedError(
        f"{source_name} is not what it was when the cursor was taken: {_change(then, now)}. "
        f"Put it back as it was and retry, or restart the job from the beginning."
    )


def _is_a_name(item: Any) -> bool:
    if isinstance(item, tuple):
        return all(map(_is_a_name, item))
    return isinstance(item, str | int)


def _block_offsets(size: int) -> Iterable[int]:
    if size <= READ_WHOLE_UP_TO:
        return range(0, size, BLOCK)
    last = size - BLOCK
    return [last * sample // (SAMPLES - 1) for sample in range(SAMPLES)]


def _change(then: Any, now: Any) -> str:
    before, after = _size(then), _size(now)
    if before is None or after is None:
        return f"its fingerprint was {short_repr(then)} and is {short_repr(now)}"
    if before == after:
        return f"it has the same size ({after} bytes), but other content"
    return f"it {'grew' if after > before else 'shrank'} from {before} to {after} bytes"


def _size(fingerprint: Any) -> int | None:
    """The size in bytes from the fingerprint of a file; `None` for another fingerprint."""
    if isinstance(fingerprint, dict) and fingerprint.keys() == {"bytes", "blake2b"}:
        return int(fingerprint["bytes"])
    return None
