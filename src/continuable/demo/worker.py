"""What is a worker of the embedded queue where the command line is not installed."""

from __future__ import annotations

import logging
import sys


def work(grace: float) -> int:
    """Be a worker."""
    from continuable.demo.jobs import app
    from continuable.queues.embedded.worker import Worker, WorkerOptions

    logging.basicConfig(level=logging.INFO)
    return Worker(app.queue, WorkerOptions(grace=grace)).run()


if __name__ == "__main__":
    sys.exit(work(grace=float(sys.argv[-1])))
