"""`sequence`: the items of a list, a tuple or a range."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

from continuable.errors import SourceError
from continuable.sources.offset import offset_from_cursor
from continuable.sources.protocol import Source

T = TypeVar("T")

QUERIES = frozenset(
    {
        ("django.db.models.query", "QuerySet"),
        ("django.db.models.manager", "BaseManager"),
        ("peewee", "BaseQuery"),
        ("sqlalchemy.engine.result", "Result"),
        ("sqlalchemy.engine.result", "ScalarResult"),
        ("sqlalchemy.orm.query", "Query"),
        ("sqlalchemy.sql.base", "Executable"),
    }
)
"""The module and name of classes whose rows come from a database at each look."""
LIVE_QUERY = (
    "its rows are others whenever it is asked again, so that an index would skip some of them. "
    "Iterate keyset(fetch, key=...), whose fetch(after, limit) asks for the rows behind a key; a "
    "QuerySet of Django's by queryset(...) of continuable.sources.django"
)


def sequence(items: Sequence[T]) -> Source[T]:
    """The items of a list, a tuple, a range or anything else with a length, index and slices.

    The cursor is the index of the next item. The job must have the same items in the same order
    when it resumes: those before the cursor are skipped unread. There may be more at the end;
    fewer than the cursor says is a `SourceChangedError`. Items without order or length (a
    generator, a set, a dict) are a `SourceError`, and so is a query of a database.
    """
    return SequenceSource(items)


class SequenceSource(Generic[T]):
    """A sequence as a source of its items."""

    def __init__(self, items: Sequence[T]) -> None:
        if is_live_query(items):
            raise SourceError(f"sequence() of a {type(items).__name__}: {LIVE_QUERY}")
        if not _is_sequence(items):
            raise SourceError(
                f"sequence() needs items with a length and an order, such as a list, "
                f"not {type(items).__name__}"
            )
        self._items = items

    def __repr__(self) -> str:
        if isinstance(self._items, range):
            return f"sequence({self._items!r})"
        return f"sequence({type(self._items).__name__} of {len(self._items)})"

    def items(self, cursor: Any) -> Iterator[tuple[T, int]]:
        """Each item from the index `cursor` on, with the index behind it."""
        start = offset_from_cursor(cursor, end=self.total(), unit="an index", source=self)
        # A slice, so that a body that changes the list does not move what is left to do.
        for behind, item in enumerate(self._items[start:], start + 1):
            yield item, behind

    def total(self) -> int:
        """The number of items."""
        items = self._items
        if isinstance(items, range):  # whose len() overflows beyond sys.maxsize
            return max(0, -((items.start - items.stop) // items.step))
        return len(items)

    def fingerprint(self) -> None:
        """`None`: a list may hold anything, and may have more at its end on a resume."""
        return


def is_live_query(value: Any) -> bool:
    """Whether it is a query or a result of Django's, SQLAlchemy's or peewee's."""
    return any((kind.__module__, kind.__qualname__) in QUERIES for kind in type(value).__mro__)


def _is_sequence(items: Any) -> bool:
    kind = type(items)
    return (
        hasattr(kind, "__len__") and hasattr(kind, "__getitem__") and not isinstance(items, Mapping)
    )
