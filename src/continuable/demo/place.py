"""Where the demo takes place, as its workers are told."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "CONTINUABLE_DEMO_PLACE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A queue, and where its data and the rows are."""

    queue: str = "embedded"
    """The name of a stage in `continuable.demo.stages`."""
    database: Path = Path("demo.db")
    """The SQLite file, whatever is in it."""
    server: str = ""
    """The url of the private server, where there is one."""
    commit: bool = True
    """Whether rows and cursor are committed together."""

    @classmethod
    def from_environment(cls) -> Place:
        """The place that a worker was told; without one, a file in the current folder."""
        told = json.loads(os.environ.get(VARIABLE, "{}"))
        return cls(**told | {"database": Path(told.get("database", "demo.db"))})

    def to_environment(self) -> dict[str, str]:
        """What tells a worker."""
        told = {"queue": self.queue, "server": self.server, "commit": self.commit}
        return {VARIABLE: json.dumps(told | {"database": str(self.database)})}
