"""The queues that the demo can be shown on, and what differs between them."""

from __future__ import annotations

import json
import os
import sys
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

from continuable import App
from continuable.demo.processes import DemoError
from continuable.demo.servers import PostgreSQLServer, RedisServer, Server
from continuable.demo.table import Table
from continuable.progress.sqlite import SQLiteProgress
from continuable.queues.embedded import EmbeddedQueue

LEASE = 4.0
"""Seconds until a killed worker is presumed dead: short, so that the demo does not wait long."""
VARIABLE = "CONTINUABLE_DEMO_PLACE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the demo takes place, as an environment variable tells its workers."""

    queue: str = "embedded"
    """A key of `STAGES`."""
    database: str = "demo.db"
    """The path of the SQLite file."""
    server: str = ""
    """The url of the private server; empty without one."""
    commit: bool = True
    """Are rows and cursor committed together?"""

    @classmethod
    def from_environment(cls) -> Place:
        """The place that a worker was told; without one, a file in the current folder."""
        return cls(**json.loads(os.environ.get(VARIABLE, "{}")))

    def to_environment(self) -> dict[str, str]:
        """The variable for a worker."""
        return {VARIABLE: json.dumps(asdict(self))}


class Stage:
    """A queue with its workers, and the table for the rows."""

    title: ClassVar[str]
    """The name of the queue for people."""
    typed: ClassVar[str]
    """The command of a worker as people type it."""
    needs: ClassVar[tuple[str, ...]] = ()
    """The modules that must be installed."""
    server: ClassVar[type[Server] | None] = None
    """The private server of the queue."""
    commits: ClassVar[bool]
    """Does the queue's own store commit progress together with the rows?"""
    rows_in: ClassVar[str] = "an SQLite file"
    """Where the rows go, in words."""
    progress_in: ClassVar[str]
    """Where the queue's own store keeps progress, in words."""
    lease: ClassVar[float | None] = LEASE
    """Seconds until the job of a killed worker is taken up, unless its death is seen before;
    `None`: it is always seen at once."""
    ends_itself: ClassVar[bool] = False
    """Does a worker exit when its grace is over, even if its job goes on?"""
    variables: ClassVar[tuple[str, ...]] = ()
    """Prefixes of the environment variables that lead the engine to other servers."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.app: App
        self.engine_app: Any = None
        self._opened = ExitStack()

    def command(self, grace: float) -> list[str]:  # noqa: ARG002 - the engines wait for their jobs
        """The command that starts a worker. `grace`: seconds for a job to reach a checkpoint."""
        return [sys.executable, "-m", *self.typed.split()]

    def environment(self) -> dict[str, str]:
        """The environment variables of a worker."""
        return self.place.to_environment()

    def table(self) -> Table:
        """The table, on a connection of the caller's own."""
        return Table(self.place.database)

    def prepare(self) -> None:
        """Create the tables that have to be there before the first job."""
        with closing(self.table()) as table:
            table.create()

    def close(self) -> None:
        """Close the connections of this process."""
        self._opened.close()


class EmbeddedStage(Stage):
    """The embedded queue, in the SQLite file of the rows. Worker locks show a death at once."""

    title = "the embedded queue"
    typed = "continuable worker continuable.demo.jobs:app"
    commits = True
    progress_in = "the same file"
    lease = None
    ends_itself = True

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        queue = EmbeddedQueue(Path(place.database))
        self._opened.callback(queue.close)
        self.app = App(queue=queue)

    def command(self, grace: float) -> list[str]:
        """The command with `--grace`."""
        return [*super().command(grace), "--grace", str(grace)]


class RedisStage(Stage):
    """An engine on Redis. Progress is in Redis, or with `commit` in the SQLite file of the rows."""

    needs = ("redis",)
    server = RedisServer
    commits = False
    progress_in = "its Redis"

    def __init__(self, place: Place) -> None:
        from continuable.progress.redis import RedisProgress

        super().__init__(place)
        self.progress: SQLiteProgress | RedisProgress = (
            SQLiteProgress(Path(place.database), lease=LEASE)
            if place.commit
            else RedisProgress(place.server, lease=LEASE)
        )
        self._opened.callback(self.progress.close)


class CeleryStage(RedisStage):
    """Celery with a prefork pool, and Redis as broker and result backend."""

    title = "Celery"
    typed = "celery -A continuable.demo.jobs:engine_app worker --concurrency 1"
    variables = ("CELERY_",)

    def __init__(self, place: Place) -> None:
        from celery import Celery

        from continuable.queues.celery import CeleryQueue

        super().__init__(place)
        self.engine_app = Celery("demo", broker=place.server, backend=place.server)
        self.engine_app.conf.broker_connection_retry_on_startup = True
        self._opened.callback(self.engine_app.close)
        self.app = App(queue=CeleryQueue(self.engine_app), progress=self.progress)

    def command(self, grace: float) -> list[str]:
        """The command with a log that tells of each job."""
        return [*super().command(grace), "--loglevel", "INFO"]


class RQStage(RedisStage):
    """RQ, whose worker runs each job in a process of its own."""

    title = "RQ"
    typed = "rq worker"
    variables = ("RQ_",)

    def __init__(self, place: Place) -> None:
        from redis import Redis

        from continuable.queues.rq import RQQueue

        super().__init__(place)
        client = self._opened.enter_context(Redis.from_url(place.server))
        self.app = App(queue=RQQueue(client), progress=self.progress)

    def command(self, grace: float) -> list[str]:  # noqa: ARG002 - as above
        """The same command: the package `rq` has no `__main__`."""
        return [sys.executable, "-m", "rq.cli", "worker"]

    def environment(self) -> dict[str, str]:
        """The place, and the url that `rq worker` takes from the environment."""
        return super().environment() | {"RQ_REDIS_URL": self.place.server}


class ProcrastinateStage(Stage):
    """Procrastinate; queue, progress and rows are in one PostgreSQL database."""

    title = "Procrastinate"
    typed = "procrastinate --app continuable.demo.jobs.engine_app worker"
    server = PostgreSQLServer
    commits = True
    rows_in = "its PostgreSQL"
    progress_in = "the same database"
    variables = ("PROCRASTINATE_", "PG")

    def __init__(self, place: Place) -> None:
        import sqlalchemy as sa
        from procrastinate import App as ProcrastinateApp
        from procrastinate import PsycopgConnector

        from continuable.progress.sqlalchemy import SQLAlchemyProgress
        from continuable.queues.procrastinate import ProcrastinateQueue

        super().__init__(place)
        self.engine_app = ProcrastinateApp(connector=PsycopgConnector(conninfo=place.server))
        engine = sa.create_engine(sa.make_url(place.server).set(drivername="postgresql+psycopg"))
        self._opened.callback(engine.dispose)
        self.app = App(
            queue=ProcrastinateQueue(self.engine_app, engine=engine),
            progress=SQLAlchemyProgress(engine, lease=LEASE),
        )

    def prepare(self) -> None:
        """Create Procrastinate's tables, too."""
        from procrastinate import App as ProcrastinateApp
        from procrastinate import SyncPsycopgConnector

        super().prepare()
        connector = SyncPsycopgConnector(conninfo=self.place.server)
        with ProcrastinateApp(connector=connector).open() as opened:
            opened.schema_manager.apply_schema()

    def table(self) -> Table:
        """The table in PostgreSQL."""
        return Table(self.place.server)


STAGES: dict[str, type[Stage]] = {
    "embedded": EmbeddedStage,
    "celery": CeleryStage,
    "rq": RQStage,
    "procrastinate": ProcrastinateStage,
}


def stage_of(queue: str) -> type[Stage]:
    """A kind of stage; `DemoError` where a package for it is not installed."""
    kind = STAGES[queue]
    try:
        for module in (f"continuable.queues.{queue}", *kind.needs):
            import_module(module)
        if kind.server is not None:
            kind.server.installed()
    except ImportError as error:
        raise DemoError(
            f'The demo on {queue} needs {_missing(error)}: pip install "continuable[{queue},demo]"'
        ) from error
    return kind


def _missing(error: ImportError) -> str:
    """The package that an `ImportError` misses."""
    # The adapters raise from the error that has the name; psycopg misses a library without one.
    name: str = error.name or getattr(error.__cause__, "name", None) or ""
    return name.partition(".")[0] or f"more than there is ({str(error).splitlines()[0]})"
