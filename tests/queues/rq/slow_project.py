"""A project whose import takes as long as a test says, so that its jobs are taken and not begun."""

import os
import time
from pathlib import Path

from tests.queues.rq.project import app, note

if "CONTINUABLE_TEST_SLOW" in os.environ:
    folder = Path(os.environ["CONTINUABLE_TEST_SLOW"])
    (folder / "importing.new").write_text(str(os.getpid()))
    (folder / "importing.new").rename(folder / "importing")
    while not (folder / "imported").exists():
        time.sleep(0.01)


@app.job
def note_at_last(job, path):
    """A job of the project."""
    note(path, "at last")
