"""Where jobs run: on every store and every engine, each with servers of its own."""

import json
import sys
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from continuable import App
from tests.chaos import engines
from tests.chaos.engines import LEASE
from tests.chaos.rows import DjangoRows, RedisRows, SQLAlchemyRows, SQLiteRows
from tests.servers import mariadb
from tests.servers.postgresql import PostgreSQL
from tests.servers.redis import RedisServer


@dataclass(frozen=True)
class Place:
    """A store or an engine, as the table names it."""

    name: str
    kind: str
    database: Callable | None = None
    """What starts the server of the rows and their progress; `None`: it is a file."""
    broker: Callable | None = None
    """What starts the server of the messages, where that is another one."""
    ways: tuple[str, ...] = ("transaction", "commit", "set")
    missing: str = ""
    """Why it cannot be had here."""

    @contextmanager
    def opened(self, folder):
        """Its site in `folder`, with its servers, for as long as the chaos lasts."""
        servers = []
        try:
            url, broker = f"sqlite:///{folder / 'progress.db'}", ""
            if self.database:
                servers.append(self.database())
                url = servers[0].url
            if self.broker:
                servers.append(self.broker())
                broker = servers[1].url
            yield Site(self.kind, url, str(folder), broker), servers
        finally:
            for server in servers:
                server.end()


def maria_db():
    return mariadb.MariaDB()


PLACES = (
    Place("embedded queue", "embedded"),
    Place("SQLiteProgress", "sqlite"),
    Place("SQLAlchemyProgress, SQLite", "sqlalchemy"),
    Place("SQLAlchemyProgress, PostgreSQL", "sqlalchemy", PostgreSQL),
    Place(
        "SQLAlchemyProgress, MariaDB",
        "sqlalchemy",
        maria_db,
        missing="" if mariadb.is_there() else "mariadbd is not installed (mariadb-server)",
    ),
    Place("DjangoProgress, PostgreSQL", "django", PostgreSQL),
    Place("RedisProgress", "redis", RedisServer, ways=("set",)),
    Place("Celery, prefork", "celery", PostgreSQL, RedisServer),
    Place("RQ", "rq", PostgreSQL, RedisServer),
    Place("Procrastinate", "procrastinate", PostgreSQL),
)


@dataclass(frozen=True)
class Site:
    """What a worker process is told of a place."""

    kind: str
    url: str
    folder: str
    broker: str = ""

    @property
    def path(self):
        return Path(self.folder)

    def to_json(self):
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text):
        return cls(**json.loads(text))

    @property
    def is_engine(self):
        """Whether another engine delivers the jobs, to its own workers."""
        return self.kind in engines.COMMANDS

    @property
    def has_children(self):
        """Whether a worker runs jobs in other processes than its main one."""
        return self.kind in {"celery", "rq"}

    @property
    def command(self):
        """What starts a worker."""
        if self.is_engine:
            return engines.COMMANDS[self.kind](self)
        return [sys.executable, "-m", "tests.chaos.worker", self.to_json()]

    @property
    def app(self):
        """An app without jobs; that of a queue is on that queue."""
        if self.is_engine:
            return engines.APPS[self.kind](self)[1]
        return App(self.url) if self.kind == "embedded" else App()

    def rows(self):
        match self.kind:
            case "embedded" | "sqlite":
                return SQLiteRows(self.url)
            case "sqlalchemy" | "celery" | "rq" | "procrastinate":
                return SQLAlchemyRows(self.url)
            case "django":
                return DjangoRows()
            case "redis":
                return RedisRows(self.url)

    def store(self):
        """The store of progress; `None`: the app's queue has it."""
        match self.kind:
            case "sqlite":
                from continuable.progress.sqlite import SQLiteProgress

                return SQLiteProgress(self.url, lease=LEASE)
            case "sqlalchemy":
                from continuable.progress.sqlalchemy import SQLAlchemyProgress

                return SQLAlchemyProgress(self.url, lease=LEASE)
            case "django":
                from tests.progress.django_project import open_store

                return open_store(self.url, self.url, LEASE)
            case "redis":
                from continuable.progress.redis import RedisProgress

                return RedisProgress(self.url, lease=LEASE)
