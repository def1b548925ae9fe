"""The table that the imports fill, in the database that keeps their progress."""

import json
import sqlite3
from contextlib import closing, contextmanager, nullcontext
from typing import NamedTuple

TABLE = (
    "CREATE TABLE IF NOT EXISTS imported (job VARCHAR(64) NOT NULL, n INTEGER NOT NULL, "
    "run BIGINT NOT NULL, at DOUBLE PRECISION NOT NULL)"
)
INSERT = "INSERT INTO imported (job, n, run, at) VALUES (:job, :n, :run, :at)"
SELECT = "SELECT job, n, run, at FROM imported"


class Row(NamedTuple):
    job: str
    n: int
    run: int
    """The execution that has written it, by a number of the chaos run's own."""
    at: float = 0.0
    """Seconds since the epoch."""


class SQLiteRows:
    """In a file, on the standard library."""

    def __init__(self, url):
        self.path = url.removeprefix("sqlite:///")

    def create(self):
        with self.connected() as connection:
            connection.execute(TABLE)

    @contextmanager
    def connected(self):
        with closing(sqlite3.connect(self.path, isolation_level=None, timeout=30)) as connection:
            yield connection

    @contextmanager
    def begun(self, connection):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def insert(self, connection, rows):
        connection.executemany(INSERT, [row._asdict() for row in rows])

    def all(self):
        with self.connected() as connection:
            return [Row(*values) for values in connection.execute(SELECT)]

    def close(self):
        """Nothing is open."""


class SQLAlchemyRows:
    """In whatever database the url says."""

    def __init__(self, url):
        import sqlalchemy as sa

        self.text = sa.text
        options = {"connect_args": {"timeout": 30}} if url.startswith("sqlite") else {}
        self.engine = sa.create_engine(url, pool_pre_ping=True, **options)

    def create(self):
        with self.engine.begin() as connection:
            connection.execute(self.text(TABLE))

    def connected(self):
        return self.engine.connect()

    def begun(self, connection):
        return connection.begin()

    def insert(self, connection, rows):
        connection.execute(self.text(INSERT), [row._asdict() for row in rows])

    def all(self):
        with self.connected() as connection:
            return [Row(*values) for values in connection.execute(self.text(SELECT))]

    def close(self):
        self.engine.dispose()


class DjangoRows:
    """In the default database of the project."""

    def create(self):
        with self.connected() as connection, connection.cursor() as cursor:
            cursor.execute(TABLE)

    @contextmanager
    def connected(self):
        from django.db import close_old_connections, connection

        close_old_connections()
        try:
            yield connection
        finally:
            connection.close()

    def begun(self, connection):
        from django.db import transaction

        return transaction.atomic()

    def insert(self, connection, rows):
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO imported (job, n, run, at) VALUES (%s, %s, %s, %s)", rows
            )

    def all(self):
        with self.connected() as connection, connection.cursor() as cursor:
            cursor.execute(SELECT)
            return [Row(*values) for values in cursor.fetchall()]

    def close(self):
        """Nothing is open."""


class RedisRows:
    """In a list: there is nothing to commit."""

    def __init__(self, url):
        import redis

        self.redis = redis.Redis.from_url(url)

    def create(self):
        self.redis.ping()

    def connected(self):
        return nullcontext(self.redis)

    def begun(self, connection):
        return nullcontext()

    def insert(self, connection, rows):
        connection.rpush("imported", *map(json.dumps, rows))

    def all(self):
        return [Row(*json.loads(text)) for text in self.redis.lrange("imported", 0, -1)]

    def close(self):
        self.redis.close()
