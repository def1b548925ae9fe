"""An exception written down, even one whose own properties raise."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import cast

from continuable.core.outcome import ErrorReport

# The slots themselves: a class of the user's may have a property in their place.
_TRACEBACK = BaseException.__dict__["__traceback__"]
_CAUSE = BaseException.__dict__["__cause__"]
_CONTEXT = BaseException.__dict__["__context__"]
_MEMBERS = BaseExceptionGroup.__dict__["exceptions"]


def report_of(error: BaseException) -> ErrorReport:
    """The last line and the traceback of `error`."""
    try:
        summary = "".join(traceback.format_exception_only(error)).strip()
        return ErrorReport(summary=summary, traceback="".join(traceback.format_exception(error)))
    except BaseException as trouble:  # noqa: BLE001 - a property of the exception may raise anything
        kind, reading = type(error).__name__, type(trouble).__name__
        summary = f"{kind}: {_text(error)} (to read all of it raises {reading})"
        places = "".join(traceback.format_tb(traceback_of(error)))
        return ErrorReport(
            summary=summary,
            traceback=f"Traceback (most recent call last):\n{places}{summary}\n",
        )


def traceback_of(error: BaseException) -> TracebackType | None:
    """The traceback that Python has given `error`."""
    return cast("TracebackType | None", _TRACEBACK.__get__(error))


def members_of(error: BaseException) -> tuple[BaseException, ...]:
    """The exceptions in a group; of any other, none."""
    is_group = issubclass(type(error), BaseExceptionGroup)
    return cast("tuple[BaseException, ...]", _MEMBERS.__get__(error)) if is_group else ()


def all_behind(error: BaseException) -> Iterator[BaseException]:
    """`error`, what caused it, and the members of a group, each once."""
    seen: set[int] = set()
    errors: list[BaseException | None] = [error]
    while errors:
        one = errors.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        errors += [_CAUSE.__get__(one), _CONTEXT.__get__(one), *members_of(one)]


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException:  # noqa: BLE001 - as above
        return "<exception str() failed>"
