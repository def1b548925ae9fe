"""An engine of the tests' own, which takes jobs as long as it is there."""

from continuable.queues.consumer import Consumer
from continuable.queues.engine import EngineQueue


class Elsewhere(EngineQueue):
    """It takes the jobs that `takes` says."""

    def __init__(self, takes=lambda _record: True):
        super().__init__()
        self.sent = []
        """The id of each job that was sent, and its whole seconds of delay."""
        self.takes = takes

    def declare(self, job):
        pass

    def task(self, job):
        return job

    def send(self, record, wait):
        if not self.takes(record):
            raise ConnectionError("The engine is away")
        self.sent.append((record.id, round(wait)))

    def own_store(self):
        raise AssertionError("the app names one")

    def start_consumer(self, store):
        return Consumer(self._registry.jobs, store, self.send)
