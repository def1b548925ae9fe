"""What worker processes have seen: lines of JSON that outlive them."""

import json
import os
import time


class Journal:
    """One file a process. A line is written at once, and is whole or not there."""

    def __init__(self, folder):
        self.file = os.open(
            folder / f"{os.getpid()}.journal", os.O_CREAT | os.O_APPEND | os.O_WRONLY
        )

    def begin(self, job, step):
        """Tell that an execution has come to its rows; its number."""
        run = time.time_ns() // 1000
        what = {"job": job.id, "execution": job.executions, "run": run, "cursor": step.cursor}
        self.tell("began", **what)
        return run

    def tell(self, what, **data):
        line = json.dumps({"what": what, "at": time.time(), "pid": os.getpid(), **data})
        os.write(self.file, f"{line}\n".encode())


def entries_in(folder):
    """What all processes have told, in the order of time."""
    lines = [line for path in folder.glob("*.journal") for line in path.read_text().splitlines()]
    return sorted(map(json.loads, lines), key=lambda entry: entry["at"])
