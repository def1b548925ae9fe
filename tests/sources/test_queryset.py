"""`queryset` on real databases: each row that stays is met once, whatever happens meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

import pytest

from continuable import App
from continuable.errors import SourceChangedError, SourceError
from continuable.sources import batches
from continuable.testing import TestQueue, interrupt_during_step
from tests.progress import django_project

ROWS = 19


@cache
def item_model() -> Any:
    """A table with keys of several kinds."""
    from django.db import models

    class Item(models.Model):
        code = models.UUIDField(unique=True)
        name = models.CharField(max_length=40)
        day = models.DateField()
        moment = models.DateTimeField()
        price = models.DecimalField(max_digits=8, decimal_places=2)
        rank = models.IntegerField(null=True)
        weight = models.FloatField()
        is_synced = models.BooleanField(default=False)
        parent = models.ForeignKey("self", models.CASCADE, null=True)

        class Meta:
            app_label = "warehouse"
            ordering = ("name",)
            constraints = (models.UniqueConstraint(fields=["day", "name"], name="item_of_day"),)

        def __str__(self) -> str:
            return self.name

    return Item


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def items(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[Any]:
    """The model, with its rows in the table."""
    url = f"sqlite:///{tmp_path / 'items.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_server").url
    django_project.use(url, f"sqlite:///{tmp_path / 'other.db'}")
    from django.db import connection, connections

    model = item_model()
    with connection.schema_editor() as editor:
        editor.create_model(model)
    for number in range(1, ROWS + 1):
        insert(model, number * 10)
    yield model
    with connection.schema_editor() as editor:
        editor.delete_model(model)
    connections.close_all()


def insert(model: Any, number: int) -> None:
    turned = number * 7919 % 1009
    model.objects.create(
        pk=number,
        code=UUID(int=turned << 64 | number),
        name=f"Ä{turned:04}",
        day=date(2026, 12, number % 4 + 1),
        moment=datetime(2026, 12, 1, tzinfo=UTC) + timedelta(microseconds=number % 3),
        price=Decimal(number % 5) / 4,
        weight=1.5,
    )


KEYS: list[Any] = [
    "pk",
    "-pk",
    "code",
    "day",
    "-moment",
    "price",
    ["day", "name"],
    ["-day", "name"],
]


@pytest.fixture
def app() -> App:
    return App(queue=TestQueue())


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_each_row_is_met_once_whatever_comes_and_goes_meanwhile(
    app: App, items: Any, key: Any
) -> None:
    """An execution for each row; before each another row is inserted, and one is deleted."""
    from continuable.sources.django import queryset

    met: list[int] = []
    stays = {number * 10 for number in range(1, ROWS + 1) if number % 3}

    @app.job
    def meet(job: Any) -> None:
        @job.step
        def each(step: Any) -> None:
            if job.executions <= ROWS:
                insert(items, job.executions * 10 + 1)
                items.objects.filter(pk=job.executions * 30).delete()
            rows = queryset(items.objects.filter(is_synced=False), key=key, size=4)
            for item in step.iterate(rows):
                met.append(item.pk)
                items.objects.filter(pk=item.pk).update(is_synced=True)

    handle = meet.enqueue()
    app.queue.stopping = lambda job: True
    app.queue.drain()
    assert handle.state() == "completed"
    assert stays <= set(met)
    assert len(met) == len(set(met))


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_rows_come_in_the_order_of_the_key(items: Any, key: Any) -> None:
    """As the database sorts them, with the primary key behind what is not unique."""
    from continuable.sources.django import queryset

    names = [key] if isinstance(key, str) else key
    last = "-pk" if names[-1].startswith("-") else "pk"
    expected = list(items.objects.order_by(*names, last))
    source = queryset(items.objects.all(), key=key, size=3)
    pairs = list(source.items(None))
    assert [item for item, _ in pairs] == expected
    assert source.total() == ROWS
    for done, (_, cursor) in enumerate(pairs, 1):
        assert [item for item, _ in source.items(cursor)] == expected[done:]


def test_async_code_meets_the_same_rows(items: Any) -> None:
    """By Django's own asynchronous queries."""
    from asgiref.sync import async_to_sync

    from continuable.sources.django import queryset

    source = queryset(items.objects.all(), key="day", size=4)

    async def read() -> Any:
        assert source.total() is None
        return [pair async for pair in source.aitems(None)]

    assert async_to_sync(read)() == list(source.items(None))


def test_rows_may_be_dicts_named_tuples_and_parts_of_models(items: Any) -> None:
    """As long as they say their key."""
    from continuable.sources.django import queryset

    numbers = [number * 10 for number in range(1, ROWS + 1)]
    every = items.objects
    for query in (
        every.values("id", "name"),
        every.values("pk"),
        every.values_list("id", "name", named=True),
        every.only("name"),
        every.select_related("parent"),
    ):
        assert [cursor for _, cursor in queryset(query, size=5).items(None)] == numbers
    for query in (every.values("name"), every.values_list("id", "name")):
        with pytest.raises(SourceError, match=r"does not say its 'id'.*values_list\(.*named=True"):
            list(queryset(query).items(None))
    with pytest.raises(SourceError, match="'day' is part of the key: do not defer it"):
        list(queryset(every.only("name"), key="day").items(None))


def test_whole_pages_are_one_query_each(items: Any, django_assert: Any) -> None:
    """And one that finds no more."""
    from continuable.sources.django import queryset

    with django_assert(queries=ROWS // 5 + 2):
        pages = list(batches(queryset(items.objects.all(), size=5), 5).items(None))
    assert [len(page) for page, _ in pages] == [5, 5, 5, 4]


@pytest.fixture
def django_assert() -> Any:
    """Counts queries."""

    @contextmanager
    def counted(queries: int) -> Iterator[None]:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as captured:
            yield
        assert len(captured) == queries, captured.captured_queries

    return counted


def test_another_query_is_noticed_on_a_resume_unless_that_is_meant(app: App, items: Any) -> None:
    """Such as one with another filter, after a deploy."""
    from continuable.sources.django import queryset

    options: dict[str, Any] = {}

    @app.job
    def meet(job: Any) -> None:
        @job.step
        def each(step: Any) -> None:
            query = items.objects.filter(pk__gt=job.executions)
            for _ in step.iterate(queryset(query, **options)):
                pass

    meet.enqueue()
    with interrupt_during_step(meet, "each", cursor=30):
        app.queue.run_enqueued()
    with pytest.raises(SourceChangedError):
        app.queue.drain()
    options["fingerprint"] = None
    handle = meet.enqueue()
    with interrupt_during_step(meet, "each", cursor=30):
        app.queue.run_enqueued()
    app.queue.drain()
    assert handle.state() == "completed"


def test_what_would_lose_rows_is_refused(items: Any) -> None:
    """Before anything is asked of the database."""
    from continuable.sources.django import queryset

    every = items.objects.all()
    for query, key, error in [
        (every.order_by("name"), "pk", r"Leave order_by\(\) out"),
        (every[:5], "pk", "a slice cannot be paged"),
        (every.distinct(), "pk", r"distinct\(\) cannot be paged.*filter\(pk__in="),
        (every.union(every), "pk", r"union\(\) cannot be paged"),
        (every, "rank", "'rank' may be null"),
        (every, "parent", "'parent' may be null"),
        (every, ["day", "weight"], "'weight' is a floating number"),
        (every, "parent__name", "'parent__name' is no field of Item"),
        (every, "nothing", "'nothing' is no field of Item"),
    ]:
        with pytest.raises(SourceError, match=error):
            queryset(query, key=key)
