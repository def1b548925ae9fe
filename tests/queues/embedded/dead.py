"""A worker whose process is gone."""

import os
import subprocess
import sys

from continuable.worker.identity import new_worker_id


def dead_worker() -> str:
    """The id that a process of this machine had, which has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return new_worker_id().replace(f"-{os.getpid()}-", f"-{process.pid}-")
