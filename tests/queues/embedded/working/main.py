"""A worker process: `python main.py DATABASE '{"threads": 2}'`; with `processes`, a supervisor.

`jobs` is the module whose `make_app` makes the app: a test may bring its own.
"""

import importlib
import json
import logging
import sys
from pathlib import Path

from continuable.queues.embedded.supervisor import supervise
from continuable.queues.embedded.worker import Worker, WorkerOptions

MODULE = "tests.queues.embedded.working.main"
JOBS = "tests.queues.embedded.working.jobs"


def main() -> int:
    path, options = sys.argv[1], json.loads(sys.argv[2])
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(message)s")
    processes = options.pop("processes", None)
    if processes is not None:
        options["control"] = 0
        command = [sys.executable, "-m", MODULE, path, json.dumps(options)]
        return supervise(command, processes)
    app = importlib.import_module(options.pop("jobs", JOBS)).make_app(Path(path))
    return Worker(app.queue, WorkerOptions(**options)).run()


if __name__ == "__main__":
    sys.exit(main())
