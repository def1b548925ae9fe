"""Servers that come in no wheel: used where they are found, else what needs them is skipped."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import uuid4

import sqlalchemy as sa

MARIADB = os.environ.get("CONTINUABLE_TEST_MARIADB", "mysql+pymysql://root@127.0.0.1:3306/")


@contextmanager
def mariadb_url() -> Iterator[str | None]:
    """A database of the tests' own in a MariaDB or MySQL that is there; `None`: there is none."""
    url = sa.make_url(MARIADB)
    if not listens(url.host or "127.0.0.1", url.port or 3306):
        yield None
        return
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    name = f"continuable_{uuid4().hex[:12]}"
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
    except sa.exc.OperationalError:
        yield None
        return
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name}")
        engine.dispose()


def listens(host: str, port: int) -> bool:
    """Whether there is somebody."""
    with suppress(OSError), socket.create_connection((host, port), timeout=1):
        return True
    return False
