"""MariaDB, which comes in no wheel: used where Debian's package (`mariadb-server`) is installed."""

import os
import shutil
from pathlib import Path

import pymysql

from tests.servers.processes import NOBODY, Server

PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])


def executable(name: str) -> Path | None:
    """Where a program of MariaDB's is."""
    found = shutil.which(name, path=PATH)
    return Path(found) if found else None


def is_there() -> bool:
    """Whether a server can be started."""
    return bool(executable("mariadbd") and executable("mariadb-install-db"))


class MariaDB(Server):
    """It forgets what it knows at the end, so it need not sync."""

    def __init__(self) -> None:
        super().__init__("mariadb", user=NOBODY)
        self.data = self.folder / "data"
        self.run(
            [
                executable("mariadb-install-db"),
                "--no-defaults",
                f"--datadir={self.data}",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ]
        )
        self.begin()
        with self.connected() as connection:
            connection.cursor().execute("CREATE DATABASE continuable")

    @property
    def url(self) -> str:
        """Where it is, as SQLAlchemy has it."""
        return f"mysql+pymysql://root@127.0.0.1:{self.port}/continuable"

    def begin(self) -> None:
        """Start it, for the first time or again."""
        places = [f"--datadir={self.data}", f"--socket={self.folder / 'socket'}"]
        listens = [f"--port={self.port}", "--bind-address=127.0.0.1"]
        small = ["--innodb-flush-log-at-trx-commit=2", "--innodb-buffer-pool-size=32M"]
        command = [executable("mariadbd"), "--no-defaults", *places, *listens, *small]
        self.start(command, self.is_ready)

    def is_ready(self) -> bool:
        """Whether it takes queries."""
        try:
            self.connected().close()
        except pymysql.err.OperationalError:
            return False
        return True

    def connected(self) -> pymysql.Connection:
        """A connection of its administrator's."""
        return pymysql.connect(host="127.0.0.1", port=self.port, user="root", connect_timeout=2)
