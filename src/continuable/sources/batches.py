"""`batches`: lists of several items of a source."""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, Generic, TypeVar, overload

from continuable.sources.coercion import as_source
from continuable.sources.protocol import AsyncSource, Source

T = TypeVar("T")


@overload
def batches(source: AsyncSource[T], size: int) -> AsyncSource[list[T]]: ...
@overload
def batches(source: Source[T] | Sequence[T], size: int) -> Source[list[T]]: ...
def batches(source: Any, size: int) -> Any:
    """Lists of `size` items of `source` (or of a list, tuple or range); the last may be shorter.

    The cursor is the one that `source` gives behind a batch's last item, so that a job may
    resume with another size. A size below 1 is a `ValueError`; a `source` that cannot resume
    is a `SourceError`.
    """
    if size < 1:
        raise ValueError(f"A batch has at least 1 item, not {size}")
    source = as_source(source)
    return Batches(source, size) if isinstance(source, Source) else AsyncBatches(source, size)


class _Batching(Generic[T]):
    """Total and fingerprint of batches, for `Batches` and `AsyncBatches`."""

    def __init__(self, source: Source[T] | AsyncSource[T], size: int) -> None:
        self._source = source
        self._size = size

    def __repr__(self) -> str:
        return f"batches({self._source!r}, {self._size})"

    def total(self) -> int | None:
        """The number of batches, a shorter last one included; `None` where items have no total."""
        items = self._source.total()
        return None if items is None else -(-items // self._size)

    def fingerprint(self) -> Any:
        """The fingerprint of the source."""
        return self._source.fingerprint()


class Batches(_Batching[T]):
    """The batches of a `Source`."""

    _source: Source[T]

    def items(self, cursor: Any) -> Iterator[tuple[list[T], Any]]:
        """Each batch from `cursor` on, with the cursor behind its last item."""
        size = self._size
        behind = cursor
        batch: list[T] = []
        for item, behind in self._source.items(cursor):
            batch.append(item)
            if len(batch) == size:
                yield batch, behind
                batch = []
        if batch:
            yield batch, behind


class AsyncBatches(_Batching[T]):
    """The batches of an `AsyncSource`."""

    _source: AsyncSource[T]

    async def aitems(self, cursor: Any) -> AsyncIterator[tuple[list[T], Any]]:
        """Each batch from `cursor` on, with the cursor behind its last item."""
        size = self._size
        behind = cursor
        batch: list[T] = []
        async for item, behind in self._source.aitems(cursor):
            batch.append(item)
            if len(batch) == size:
                yield batch, behind
                batch = []
        if batch:
            yield batch, behind
