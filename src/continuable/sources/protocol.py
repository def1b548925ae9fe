"""`Source` and `AsyncSource`: the three methods of a source. Write them for one of your own."""

from collections.abc import AsyncIterator, Iterator
from typing import Any, Protocol, TypeVar, runtime_checkable

T_co = TypeVar("T_co", covariant=True)


@runtime_checkable
class Source(Protocol[T_co]):
    """Items that can be read again from any cursor."""

    def items(self, cursor: Any) -> Iterator[tuple[T_co, Any]]:
        """Yield each item from `cursor` on, with the cursor that lies behind it.

        A cursor of `None` means the beginning. The cursors are kept with the job's progress,
        so they are small and of a type that can be serialised. `SourceChangedError` says that
        `cursor` no longer fits the data.
        """
        ...

    def total(self) -> int | None:
        """The number of all items, counted from the beginning; `None` if it is not known."""
        ...

    def fingerprint(self) -> Any:
        """Plain data that changes when the source's data does; `None` if there is no check.

        It is taken when a step starts, kept with its progress, and compared when it resumes.
        """
        ...


@runtime_checkable
class AsyncSource(Protocol[T_co]):
    """A source for `async for`: `aitems` in place of `items`."""

    def aitems(self, cursor: Any) -> AsyncIterator[tuple[T_co, Any]]:
        """Yield each item from `cursor` on, with the cursor that lies behind it."""
        ...

    def total(self) -> int | None:
        """The number of all items, counted from the beginning; `None` if it is not known."""
        ...

    def fingerprint(self) -> Any:
        """Plain data that changes when the source's data does; `None` if there is no check."""
        ...
