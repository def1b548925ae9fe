"""A worker process: `python -m tests.chaos.worker SITE`."""

import logging
import signal
import sys
import threading
import time

from continuable.errors import StoreError
from continuable.queues.consumer import Consumer, Discard, Finished, Requeue, Snooze
from continuable.queues.embedded.worker import Worker, WorkerOptions
from tests.chaos.jobs import add_imports
from tests.chaos.journal import Journal
from tests.chaos.places import Site
from tests.chaos.spool import Spool

THREADS = 2
GRACE = 10.0
LOOK_EVERY = 0.02
AGAIN_AFTER = 0.5
"""Seconds after which a message is delivered again whose end could not be written."""


def main():
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(threadName)s %(message)s")
    site = Site.from_json(sys.argv[1])
    app, journal = site.app, Journal(site.path)
    add_imports(app, site.rows(), journal)
    if site.kind == "embedded":
        return Worker(app.queue, WorkerOptions(threads=THREADS, grace=GRACE)).run()
    SpoolConsumer(app, site.store(), Spool(site.path / "spool"), journal).run()
    return 0


class SpoolConsumer:
    """What a queue's own worker does: takes messages, and does with each as it is told."""

    def __init__(self, app, store, spool, journal):
        self.store = store
        self.spool = spool
        self.journal = journal
        self.is_stopping = False
        self.consumer = Consumer(app.jobs, store, spool.send, grace=GRACE)

    def run(self):
        signal.signal(signal.SIGTERM, self.stop)
        self.consumer.start()
        threads = [threading.Thread(target=self.work) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        while not self.is_stopping:  # a signal that comes to another thread would wake no lock
            time.sleep(LOOK_EVERY)
        self.consumer.interrupt()
        for thread in threads:
            thread.join()
        self.consumer.close()
        self.store.close()

    def stop(self, *_):
        self.is_stopping = True

    def work(self):
        while not self.is_stopping:
            message = self.spool.look()
            if message is None:
                time.sleep(LOOK_EVERY)
            else:
                self.take(*message)

    def take(self, name, record):
        try:
            delivered = self.consumer.run(record)
        except StoreError:
            self.spool.put_off(name, AGAIN_AFTER)
            return
        match delivered:
            case Snooze(seconds):
                self.spool.put_off(name, seconds)
                return
            case Requeue(following, wait):
                self.spool.send(following, wait)
                self.consumer.sent(following)
            case Finished(outcome):
                self.journal.tell("ended", job=record.id, outcome=type(outcome).__name__)
            case Discard(state):
                self.journal.tell("dropped", job=record.id, state=state)
        self.spool.acknowledge(name)


if __name__ == "__main__":
    sys.exit(main())
