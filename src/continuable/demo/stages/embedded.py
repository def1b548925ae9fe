"""The embedded queue: one SQLite file, and no server."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec
from pathlib import Path

from continuable import App
from continuable.demo.place import Place
from continuable.demo.stages.stage import Stage
from continuable.queues.embedded import EmbeddedQueue

APP = "continuable.demo.jobs:app"


class EmbeddedStage(Stage):
    """Rows and queue are in the same file; a dead worker's lock tells at once that it is dead."""

    title = "the embedded queue"
    commits = True
    progress_in = "the same file"
    lease = None
    ends_itself = True

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.app = App(queue=EmbeddedQueue(place.database))

    @classmethod
    def require(cls) -> None:
        """See `Stage.require`: nothing but Python."""

    @classmethod
    def server(cls, folder: Path) -> AbstractContextManager[None]:  # noqa: ARG003 - there is none
        """See `Stage.server`."""
        return nullcontext()

    def command(self, grace: float) -> list[str]:
        """The command line, or a module of the demo's where that is not installed."""
        if find_spec("click") and find_spec("continuable.cli.worker"):
            line = [sys.executable, "-m", "continuable", "worker", APP]
        else:
            line = [sys.executable, "-m", "continuable.demo.worker"]
        return [*line, "--grace", str(grace)]

    def command_as_typed(self) -> str:
        """See `Stage.command_as_typed`."""
        return f"continuable worker {APP}"

    def prepare(self) -> None:
        """See `Stage.prepare`: the queue makes its file itself."""

    def close(self) -> None:
        """See `Stage.close`."""
        self.app.queue.close()
