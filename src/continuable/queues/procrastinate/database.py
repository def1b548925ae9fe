"""The database of a Procrastinate app, for those who need a connection of their own to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import procrastinate
import psycopg
import sqlalchemy as sa

from continuable.errors import QueueError

OF_POOLS = frozenset({"autocommit", "cursor_factory", "row_factory"})
"""What an app may set for its own connections, and SQLAlchemy decides for its."""


def engine_for(app: procrastinate.App) -> sa.Engine:
    """An engine on the database that `app` uses when the first connection is made."""

    def connect() -> psycopg.Connection[Any]:
        conninfo, options = _parameters(app.connector)
        return psycopg.connect(conninfo, **options)

    return sa.create_engine("postgresql+psycopg://", creator=connect, pool_pre_ping=True)


def _parameters(connector: Any) -> tuple[str, dict[str, Any]]:
    """Where the pool of `connector` connects to, and how."""
    if hasattr(connector, "get_worker_connector"):  # Django's
        connector = connector.get_worker_connector()
    if not isinstance(
        connector, procrastinate.PsycopgConnector | procrastinate.SyncPsycopgConnector
    ):
        raise QueueError(
            f"ProcrastinateQueue cannot tell the database of a {type(connector).__qualname__}: "
            f"name it, ProcrastinateQueue(app, engine=sqlalchemy.create_engine(...)); in tests "
            f"without a database, use continuable.testing.TestQueue"
        )
    pool = getattr(connector, "_async_pool", None) or getattr(connector, "_pool", None)
    if pool is not None:
        conninfo, options = pool.conninfo, pool.kwargs
    else:
        settings = connector._pool_args  # noqa: SLF001 - it tells nobody where it connects to
        conninfo, options = settings.get("conninfo", ""), settings.get("kwargs")
    chosen = {k: v for k, v in (_value(options) or {}).items() if k not in OF_POOLS}
    return _value(conninfo), chosen


def _value(value: Any | Callable[[], Any]) -> Any:
    """A pool takes each as a value or as a function that gives it."""
    return value() if callable(value) else value
