"""What it takes to be there: the import, and an idle worker's memory and processor time."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.latency import app_at, enqueue_to_started, worker
from benchmarks.table import Figure

IMPORTS = 15
IDLE_SECONDS = 5.0
IMPORT = """
import time
started = time.perf_counter()
import continuable
print(time.perf_counter() - started)
"""


def figures() -> Iterator[Figure]:
    import_seconds()  # compiles what is not compiled yet
    seconds = [import_seconds() for _ in range(IMPORTS)]
    yield Figure("import continuable", statistics.median(seconds) * 1000, "ms", "<= 40")
    if not Path("/proc/self/stat").exists():
        return
    with tempfile.TemporaryDirectory() as folder:
        app = app_at(str(Path(folder) / "jobs.db"))
        with worker(app) as process:
            enqueue_to_started(app)
            before = processor_seconds(process.pid)
            time.sleep(IDLE_SECONDS)
            used = processor_seconds(process.pid) - before
            memory = resident_mebibytes(process.pid)
        app.queue.close()
    yield Figure("an idle worker's memory", memory, "MiB", "<= 40")
    yield Figure("an idle worker's share of a core", used / IDLE_SECONDS * 100, "%", "<= 1")


def import_seconds() -> float:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    command = [sys.executable, "-c", IMPORT]
    return float(subprocess.run(command, stdout=-1, check=True, env=environment).stdout)


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mebibytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024
