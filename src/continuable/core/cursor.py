"""What follows a cursor, and which cursors need no second look."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any

from continuable.errors import UnadvanceableCursorError

_SCALARS = frozenset({type(None), bool, int, float, str, bytes, date, timedelta})
# Known by their names, so that nobody imports their modules for nothing.
_IMPORTED_SCALARS = frozenset({("decimal", "Decimal"), ("uuid", "UUID")})


def is_scalar(kind: type) -> bool:
    """Whether every value of this type can be kept and none can be changed in place."""
    return kind in _SCALARS or (kind.__module__, kind.__qualname__) in _IMPORTED_SCALARS


def successor(cursor: Any) -> Any:
    """The cursor right behind `cursor`; `UnadvanceableCursorError` where there is none."""
    kind = type(cursor)
    if kind is int:
        return cursor + 1
    succ = getattr(cursor, "succ", None)
    if callable(succ):
        return succ()
    if isinstance(cursor, int) and not isinstance(cursor, bool | Enum):
        return kind(cursor + 1)
    if isinstance(cursor, date) and not isinstance(cursor, datetime) and cursor < date.max:
        return cursor + timedelta(days=1)
    message = (
        f"A cursor of type {kind.__qualname__} ({cursor!r}) has no successor to advance to: "
        f"use step.set(...) with the cursor to resume from, or give the type a succ() method"
    )
    raise UnadvanceableCursorError(message)
