"""Stores on servers, each with a table of a user's beside it."""

from contextlib import contextmanager
from uuid import uuid4

import sqlalchemy as sa

from continuable.progress.redis import RedisProgress
from continuable.progress.sqlalchemy import SQLAlchemyProgress, metadata
from tests.progress import django_project

CREATE = "CREATE TABLE noted (n INTEGER)"


class OnSQLAlchemy:
    def __init__(self, server):
        self.server = server
        self.engine = sa.create_engine(server.url, pool_pre_ping=True)
        metadata.drop_all(self.engine)
        self.store = SQLAlchemyProgress(server.url)
        with self.engine.begin() as connection:
            connection.execute(sa.text("DROP TABLE IF EXISTS noted"))
            connection.execute(sa.text(CREATE))

    def connected(self):
        return self.engine.connect()

    def begun(self, connection):
        return connection.begin()

    def insert(self, connection, n):
        connection.execute(sa.text("INSERT INTO noted VALUES (:n)"), {"n": n})

    def rows(self):
        with self.connected() as connection:
            return [n for (n,) in connection.execute(sa.text("SELECT n FROM noted ORDER BY n"))]

    def close(self):
        self.engine.dispose()


class OnDjango:
    def __init__(self, server):
        self.server = server
        django_project.use(server.url, server.url)
        self.store = django_project.open_store(server.url, server.url, 30.0)
        with self.connected() as connection, connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS noted")
            cursor.execute(CREATE)

    @contextmanager
    def connected(self):
        from django.db import close_old_connections, connection

        close_old_connections()
        yield connection

    def begun(self, connection):
        from django.db import transaction

        return transaction.atomic()

    def insert(self, connection, n):
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO noted VALUES (%s)", [n])

    def rows(self):
        with self.connected() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT n FROM noted ORDER BY n")
            return [n for (n,) in cursor.fetchall()]

    def close(self):
        from django.db import connections

        connections.close_all()


class OnRedis:
    def __init__(self, server):
        self.server = server
        self.store = RedisProgress(server.url, prefix=f"{uuid4()}:")

    def close(self):
        """There is nothing of the job's own."""


PLACES = {
    "sqlalchemy-postgresql": ("postgresql_server", OnSQLAlchemy),
    "sqlalchemy-mariadb": ("mariadb_server", OnSQLAlchemy),
    "django-postgresql": ("postgresql_server", OnDjango),
    "redis": ("redis_server", OnRedis),
}
"""By the fixture that starts the server, and what is there."""
WITH_COMMIT = [name for name in PLACES if name != "redis"]
