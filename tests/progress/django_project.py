"""A Django project of one process: configured once, for whichever test comes first."""

from contextlib import suppress
from urllib.parse import urlsplit

import django
import sqlalchemy as sa
from django.conf import settings
from django.core.management import call_command
from django.db import connections

from continuable.progress.django import DjangoProgress

ENGINES = {"postgresql": "postgresql", "mysql": "mysql", "sqlite": "sqlite3"}


def database_at(url: str) -> dict[str, object]:
    """An entry of `DATABASES` for the url of SQLAlchemy's."""
    kind = url.partition(":")[0].partition("+")[0]
    entry: dict[str, object] = {"ENGINE": f"django.db.backends.{ENGINES[kind]}"}
    if kind == "sqlite":
        return entry | {"NAME": url.removeprefix("sqlite:///"), "OPTIONS": {"timeout": 20}}
    parts = urlsplit(url)
    return entry | {
        "NAME": parts.path[1:],
        "USER": parts.username,
        "HOST": parts.hostname,
        "PORT": parts.port,
    }


def use(url: str, other: str) -> None:
    """Let the project have its database at `url`, emptied and migrated, and another one."""
    configure(url, other)
    entries = {"default": database_at(url), "other": database_at(other)}
    connections.close_all()
    for alias, entry in connections.configure_settings(entries).items():
        connections.settings[alias].update(entry)
        with suppress(AttributeError):
            del connections[alias]
    empty(url)
    call_command("migrate", verbosity=0)


def configure(url: str, other: str) -> None:
    """Set the project up, if this process has not done so."""
    if not settings.configured:
        settings.configure(
            INSTALLED_APPS=["continuable.django"],
            DATABASES={"default": database_at(url), "other": database_at(other)},
            USE_TZ=True,
        )
        django.setup()


def empty(url: str) -> None:
    """Drop the tables of an earlier test."""
    engine = sa.create_engine(url)
    tables = sa.MetaData()
    tables.reflect(engine, only=lambda name, _: name.startswith(("continuable", "django")))
    tables.drop_all(engine)
    engine.dispose()


def open_store(url: str, other: str, lease: float) -> DjangoProgress:
    """The store, in this process or in another one of the same project."""
    configure(url, other)
    return DjangoProgress(lease=lease)
