"""`queryset`: the rows of a query of Django's, page by page in the order of a key."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet, FieldDoesNotExist
from django.db.models import Field, FloatField, Model, Q, QuerySet

from continuable.errors import SourceError
from continuable.sources.keyset import AsyncKeyset, Keyset

OF_THE_QUERY = object()
"""The fingerprint is that of the query."""


def queryset(
    query: QuerySet[Any],
    *,
    key: str | Sequence[str] = "pk",
    size: int = 100,
    count: bool = True,
    fingerprint: Any = OF_THE_QUERY,
) -> QuerySetSource:
    """The rows of `query`, page by page in the order of `key`, for `for` and for `async for`.

    Each page is a query that has ended before its first row is handed out, so that commits, pauses
    of hours and lost connections between two rows do not matter. The cursor is the key of the row
    before it. Each row that is there throughout is met once, whatever comes and goes meanwhile, and
    so is one that the loop changes such that `query` does not find it any more.

    Args:
        query: A `QuerySet` of models, of `values()` or of `values_list(..., named=True)`, without
            an order of its own. `select_related`, `prefetch_related` and `only` hold.
        key: The name of a field of the model, or several; `-` before a name is descending. The
            primary key is added where they are not unique.
        size: Rows that are asked for at once.
        count: Whether they are counted at the start, for the bar; not on an event loop.
        fingerprint: Plain data that tells that another query was asked before. By default the text
            of `query` and its parameters; give `None` for a query that differs from one execution
            to the next, as `filter(created__lt=now())` does.

    `SourceError`: `query` has an order, a slice, `distinct()` or `union()`; or a field of the key
    is not the model's own, may be null, or is a floating number. `SourceChangedError`: on a
    resume, where the fingerprint is another one.
    """
    names = [key] if isinstance(key, str) else key
    return QuerySetSource(query, names, size, fingerprint, is_counted=count)


class QuerySetSource:
    """The rows of a query."""

    def __init__(
        self,
        query: QuerySet[Any],
        key: Sequence[str],
        size: int,
        fingerprint: Any,
        *,
        is_counted: bool,
    ) -> None:
        self._query = query
        self._is_counted = is_counted
        self._fingerprint = fingerprint
        _refuse_unpageable(self, query)
        self._parts = [_part(self, query.model, name) for name in key]
        if not _is_unique(query.model, [field for field, _ in self._parts]):
            own = [(field, self._parts[-1][1]) for field in _primary_key(query.model)]
            self._parts += [part for part in own if part[0] not in dict(self._parts)]
        order = [("-" if is_down else "") + field.attname for field, is_down in self._parts]
        self._ordered = query.order_by(*order)
        self._plain: Keyset[Any] = Keyset(self._fetch, self._key, size, None, None)
        self._async: AsyncKeyset[Any] = AsyncKeyset(self._afetch, self._key, size, None, None)

    def __repr__(self) -> str:
        return f"queryset({self._query.model.__name__})"

    def items(self, cursor: Any) -> Iterator[tuple[Any, Any]]:
        """Each row behind the key `cursor`, with its key."""
        return self._plain.items(cursor)

    def aitems(self, cursor: Any) -> AsyncIterator[tuple[Any, Any]]:
        """The same from async code."""
        return self._async.aitems(cursor)

    def total(self) -> int | None:
        """The number of rows that there are now, where they are counted."""
        return self._query.count() if self._is_counted and not _is_on_loop() else None

    def fingerprint(self) -> Any:
        """That of the query, or what the caller gave."""
        if self._fingerprint is not OF_THE_QUERY:
            return self._fingerprint
        try:
            text = str(self._query.query)
        except EmptyResultSet:
            text = ""
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]

    def _fetch(self, after: Any, limit: int) -> list[Any]:
        return list(self._page(after, limit))

    async def _afetch(self, after: Any, limit: int) -> list[Any]:
        return [row async for row in self._page(after, limit)]

    def _page(self, after: Any, limit: int) -> QuerySet[Any]:
        behind = self._ordered if after is None else self._ordered.filter(self._behind(after))
        return behind[:limit]

    def _behind(self, after: Any) -> Q:
        """What holds for the rows whose key lies behind `after`."""
        values = after if isinstance(after, tuple | list) else (after,)
        condition, equal = Q(), Q()
        for (field, is_down), value in zip(self._parts, values, strict=True):
            beyond = Q(**{f"{field.attname}__{'lt' if is_down else 'gt'}": value})
            condition |= equal & beyond
            equal &= Q(**{field.attname: value})
        return condition

    def _key(self, row: Any) -> Any:
        values = tuple(self._value(row, field) for field, _ in self._parts)
        return values if len(values) > 1 else values[0]

    def _value(self, row: Any, field: Field[Any, Any]) -> Any:
        name = field.attname
        if isinstance(row, Model):
            if name in row.get_deferred_fields():
                raise SourceError(f"{self!r}: {name!r} is part of the key: do not defer it")
            return getattr(row, name)
        names = [name, field.name, *(["pk"] if field.primary_key else [])]
        for one in names:
            if isinstance(row, dict) and one in row:
                return row[one]
            if hasattr(row, "_fields") and hasattr(row, one):
                return getattr(row, one)
        raise SourceError(
            f"{self!r}: a row of it does not say its {name!r}, which is part of the key: name it "
            f"in values() or values_list(..., named=True)"
        )


def _refuse_unpageable(source: QuerySetSource, query: QuerySet[Any]) -> None:
    own = query.query
    if own.order_by or own.extra_order_by:
        raise SourceError(f"{source!r}: the order is that of key=. Leave order_by() out")
    if own.is_sliced:
        raise SourceError(f"{source!r}: a slice cannot be paged. Leave it out, and break the loop")
    if own.distinct or own.combinator:
        what = "distinct()" if own.distinct else f"{own.combinator}()"
        raise SourceError(
            f"{source!r}: {what} cannot be paged. Filter by a subquery of it: "
            f"filter(pk__in=query.values('pk'))"
        )


def _part(source: QuerySetSource, model: type[Model], name: str) -> tuple[Field[Any, Any], bool]:
    """The field of a part of the key, and whether it is descending."""
    plain = name.removeprefix("-")
    try:
        field: Any = model._meta.pk if plain == "pk" else model._meta.get_field(plain)  # noqa: SLF001 - Django's public name for it
    except FieldDoesNotExist:
        field = None
    if field is None or not getattr(field, "column", None):
        raise SourceError(f"{source!r}: {plain!r} is no field of {model.__name__} with one column")
    if field.null:
        raise SourceError(
            f"{source!r}: {plain!r} may be null, and no row lies behind null: take another key, or "
            f"the primary key"
        )
    if isinstance(field, FloatField):
        raise SourceError(
            f"{source!r}: {plain!r} is a floating number, and the database may compare it as "
            f"another one: take another key"
        )
    return field, name.startswith("-")


def _primary_key(model: type[Model]) -> Sequence[Field[Any, Any]]:
    own = model._meta  # noqa: SLF001 - Django's public name for it
    fields: Sequence[Field[Any, Any]] = getattr(own, "pk_fields", None) or [own.pk]
    return fields


def _is_unique(model: type[Model], fields: Sequence[Field[Any, Any]]) -> bool:
    """Whether two rows never have the same values in `fields`."""
    own = model._meta  # noqa: SLF001 - Django's public name for it
    constraints = [one.fields for one in own.total_unique_constraints]
    together = [set(names) for names in [*own.unique_together, *constraints]]
    names = {field.name for field in fields}
    primary = {field.name for field in _primary_key(model)}
    return any(field.unique for field in fields) or any(
        some <= names for some in [primary, *together]
    )


def _is_on_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
