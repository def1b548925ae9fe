"""Sources from what `Step.iterate` accepts: a source, a list, a tuple or a range."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, TypeVar, overload

from continuable.errors import SourceError
from continuable.sources.protocol import AsyncSource, Source
from continuable.sources.sequence import LIVE_QUERY, is_live_query, sequence

T = TypeVar("T")


@overload
def as_source(value: AsyncSource[T]) -> AsyncSource[T]: ...
@overload
def as_source(value: Source[T] | Sequence[T]) -> Source[T]: ...
def as_source(value: Any) -> Any:
    """`value` if it is a source, a `sequence` of a list, tuple or range; else `SourceError`."""
    if isinstance(value, Source | AsyncSource):
        return value
    if isinstance(value, list | tuple | range):
        return sequence(value)
    raise SourceError(f"Cannot resume in the middle of a {type(value).__name__}: {_advice(value)}")


def _advice(value: Any) -> str:
    if is_live_query(value):
        return LIVE_QUERY
    if isinstance(value, Iterator | AsyncIterator):
        return (
            "a generator or iterator can only start at its beginning. Iterate csv_rows(), lines() "
            "or jsonl() for a file, pages() for an API, a list if it is small, or write a Source"
        )
    if isinstance(value, str | bytes | bytearray):
        return "lines(path) iterates a file, sequence(...) the characters"
    if isinstance(value, Mapping):
        return "iterate sorted(...) of its items"
    if isinstance(value, AbstractSet):
        return "its order differs from process to process. Iterate sorted(...) of it"
    return (
        "wrap it in sequence(...) if it has a length and always the same order, "
        "or write a Source (items, total, fingerprint)"
    )
