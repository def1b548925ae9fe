"""What `manage.py check` finds: a setting that names no app, missing tables, early starts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 - Django's name
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from continuable.app import App
from continuable.django.configured import SETTING, configured_app, progress_alias
from continuable.django.models import History, Progress
from continuable.progress.django import DjangoProgress
from continuable.queues.engine import EngineQueue


@register()
def check_app(**_: Any) -> list[CheckMessage]:
    """The setting names an app, and its jobs do not start before a view's rows are committed."""
    try:
        app = configured_app()
    except ImproperlyConfigured as error:
        hint = f"Mend {SETTING}: the module, a colon and the name of the app in it"
        return [Error(str(error), hint=hint, id="continuable.E001")]
    return [] if app is None else [*_early_starts(app)]


@register(Tags.database)
def check_tables(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """The tables are there, if their database is one that is looked at."""
    try:
        alias = progress_alias()
    except ImproperlyConfigured:
        return []  # which `check_app` tells
    if alias not in (databases or ()):
        return []
    there = connections[alias].introspection.table_names()
    tables = [model._meta.db_table for model in (Progress, History)]  # noqa: SLF001 - Django's public name for it
    return [
        Warning(
            f"There is no table {table!r} in the database {alias!r}",
            hint=f"Run `manage.py migrate --database {alias}`",
            id="continuable.W001",
        )
        for table in tables
        if table not in there
    ]


def _early_starts(app: App) -> Iterator[CheckMessage]:
    requests = [name for name, one in connections.settings.items() if one.get("ATOMIC_REQUESTS")]
    queue = app.queue
    if not requests or not isinstance(queue, EngineQueue):
        return
    if isinstance(queue.store, DjangoProgress):
        return
    yield Warning(
        f"ATOMIC_REQUESTS is set, and progress is in {queue.store!r}: a worker may start a job "
        f"before the rows of the view that has enqueued it are committed",
        hint="Keep progress in DjangoProgress(), or enqueue in transaction.on_commit",
        id="continuable.W002",
    )
