"""`python -m benchmarks [NAME...]`: every figure that the project claims, in one table."""

from __future__ import annotations

import platform
import sqlite3
import sys

from benchmarks import (
    checkpoints,
    engines,
    footprint,
    latency,
    progress,
    queue_speed,
    resumability,
    rows,
    skipping,
    steps,
    stores,
)
from benchmarks.table import HEADING

MODULES = {
    "checkpoints": checkpoints,
    "skipping": skipping,
    "steps": steps,
    "rows": rows,
    "progress": progress,
    "stores": stores,
    "queue": queue_speed,
    "engines": engines,
    "latency": latency,
    "footprint": footprint,
    "resumability": resumability,
}


def main(names: list[str]) -> int:
    unknown = set(names) - MODULES.keys()
    if unknown:
        print(f"No such benchmark: {', '.join(unknown)}. There are {', '.join(MODULES)}")
        return 2
    print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}\n{HEADING}")
    is_missed = False
    for name in names or MODULES:
        for figure in MODULES[name].figures():
            print(figure, flush=True)
            is_missed |= figure.holds is False
    return int(is_missed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
