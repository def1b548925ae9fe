"""RabbitMQ, which comes in no wheel: a node of the tests' own where its commands are installed."""

import os
import subprocess
from pathlib import Path
from shutil import which

import kombu

from tests.servers.processes import Server, free_port

INSTALLED = [Path("/usr/lib/rabbitmq/bin"), Path("/usr/local/sbin"), Path("/opt/rabbitmq/sbin")]


def commands() -> Path | None:
    """The folder of its commands; `None`: it is not installed.

    Not the ones on the path where a package has put scripts there that change the user.
    """
    found = which("rabbitmq-server")
    folders = [*INSTALLED, *([Path(found).resolve().parent] if found else [])]
    return next((folder for folder in folders if (folder / "rabbitmq-server").exists()), None)


class RabbitMQServer(Server):
    """It keeps its messages over a restart, as those of Celery are to be kept."""

    def __init__(self) -> None:
        super().__init__("rabbitmq")
        self._commands = commands()
        self.environment |= {
            "HOME": str(self.folder),
            "RABBITMQ_NODENAME": f"continuable-{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "logs"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "none"),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "none"),
        }
        self.begin()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def begin(self) -> None:
        """Start it, for the first time or again."""
        self.start([self._commands / "rabbitmq-server"], self.is_ready)

    def is_ready(self) -> bool:
        """Whether it takes connections."""
        try:
            with kombu.Connection(self.url, connect_timeout=2) as connection:
                connection.connect()
        except OSError:
            return False
        return True

    def evaluate(self, expression: str) -> None:
        """Have it evaluate something of Erlang's."""
        words = ["eval", expression]
        subprocess.run(
            [self._commands / "rabbitmqctl", "-n", self.environment["RABBITMQ_NODENAME"], *words],
            env=os.environ | self.environment,
            capture_output=True,
            check=True,
        )
