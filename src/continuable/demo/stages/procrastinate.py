"""Procrastinate, with the rows in the same PostgreSQL."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import procrastinate
import sqlalchemy as sa

from continuable import App
from continuable.demo.place import Place
from continuable.demo.servers.postgresql import PostgreSQLServer, executables
from continuable.demo.stages.stage import ENGINE_APP, LEASE, Stage
from continuable.demo.tables.postgresql import PostgreSQLTable
from continuable.progress.sqlalchemy import SQLAlchemyProgress
from continuable.queues.procrastinate import ProcrastinateQueue

WORDS = ["--app", f"{ENGINE_APP}.engine_app", "worker"]


class ProcrastinateStage(Stage):
    """Tasks of Procrastinate's; queue, progress and rows are in one database."""

    title = "Procrastinate"
    commits = True
    rows_in = "its PostgreSQL"
    progress_in = "the same database"
    variables = ("PROCRASTINATE_", "PG")

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        connector = procrastinate.PsycopgConnector(conninfo=place.server)
        self.engine_app = procrastinate.App(connector=connector)
        self._engine = sa.create_engine(_url(place.server))
        self.app = App(
            queue=ProcrastinateQueue(self.engine_app, engine=self._engine),
            progress=SQLAlchemyProgress(self._engine, lease=LEASE),
        )

    @classmethod
    def require(cls) -> None:
        """See `Stage.require`."""
        executables()

    @classmethod
    @contextmanager
    def server(cls, folder: Path) -> Iterator[PostgreSQLServer]:  # noqa: ARG003 - below
        """See `Stage.server`. It may run as somebody who has no access to the demo's folder."""
        with (
            TemporaryDirectory(prefix="continuable-demo-postgresql-") as own,
            PostgreSQLServer(Path(own)) as server,
        ):
            yield server

    def command(self, grace: float) -> list[str]:  # noqa: ARG002 - it waits for its jobs
        """See `Stage.command`."""
        return [sys.executable, "-m", "procrastinate", "--verbose", *WORDS]

    def command_as_typed(self) -> str:
        """See `Stage.command_as_typed`."""
        return " ".join(["procrastinate", *WORDS])

    def prepare(self) -> None:
        """Make the tables: Procrastinate's, and the one for the rows."""
        connector = procrastinate.SyncPsycopgConnector(conninfo=self.place.server)
        with procrastinate.App(connector=connector).open() as opened:
            opened.schema_manager.apply_schema()
        table = self.table()
        table.create_tables()
        table.close()

    def table(self) -> PostgreSQLTable:
        """See `Stage.table`."""
        return PostgreSQLTable(_url(self.place.server))

    def close(self) -> None:
        """See `Stage.close`."""
        self._engine.dispose()


def _url(server: str) -> sa.URL:
    return sa.make_url(server).set(drivername="postgresql+psycopg")
