"""Cursors that are whole numbers: an index or a byte offset."""

from typing import Any

from continuable.errors import SourceChangedError, SourceError


def offset_from_cursor(cursor: Any, *, end: int, unit: str, source: object) -> int:
    """The offset from a cursor: 0 for `None`, at most `end`.

    `unit` and `source` are for messages. `SourceError`: the cursor is no whole number from 0 on.
    `SourceChangedError`: it lies beyond `end`.
    """
    if cursor is None:
        return 0
    # A bool is an int, and would silently mean the offset 0 or 1.
    if not isinstance(cursor, int) or isinstance(cursor, bool) or cursor < 0:
        raise SourceError(
            f"The cursor of {source!r} is {unit} from 0 on, "
            f"not {cursor!r} ({type(cursor).__name__})"
        )
    if cursor > end:
        raise SourceChangedError(
            f"{source!r} ends at {end}, before the cursor {cursor} ({unit}): it shrank since the "
            f"cursor was taken. Put it back as it was and retry, or restart the job from the "
            f"beginning."
        )
    return cursor
