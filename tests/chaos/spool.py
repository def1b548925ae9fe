"""A queue of the test's own, that delivers more often than it should.

A message is a file, delivered to any worker that looks, and so to several at once. It goes when it
is acknowledged, and not always then.
"""

import contextlib
import random
import time
from uuid import uuid4

from continuable.model.payload import JobRecord

FORGOTTEN = 0.1
"""How often an acknowledgement comes to nothing."""


class Spool:
    """One worker's view of the folder, which remembers what that worker has put off."""

    def __init__(self, folder):
        self.folder = folder
        self.folder.mkdir(exist_ok=True)
        self._put_off = {}

    def send(self, record, wait=0.0):
        """Put a message there, to be delivered in `wait` seconds."""
        due = round((time.time() + wait) * 1000)
        unfinished = self.folder / f"{uuid4().hex}.new"
        unfinished.write_text(record.to_json())
        unfinished.rename(self.folder / f"{due}-{uuid4().hex}.json")

    def look(self):
        """A message that is due, whoever else may have it; its name and the record."""
        names = [path.name for path in self.folder.glob("*.json") if self._is_due(path.name)]
        random.shuffle(names)
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                return name, JobRecord.from_json((self.folder / name).read_text())
        return None

    def put_off(self, name, seconds):
        """Deliver it no more to this worker for so long."""
        self._put_off[name] = time.monotonic() + seconds

    def acknowledge(self, name):
        """Be done with a message, mostly."""
        if random.random() < FORGOTTEN:
            self.put_off(name, 0.5)
        else:
            (self.folder / name).unlink(missing_ok=True)

    def _is_due(self, name):
        is_sent = int(name.partition("-")[0]) <= time.time() * 1000
        return is_sent and self._put_off.get(name, 0.0) <= time.monotonic()
