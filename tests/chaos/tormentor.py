"""Does to workers and servers what happens to them in the wild, one thing after another."""

import random
import signal
import threading
import time
from collections import Counter

from tests.chaos.crew import send, tree
from tests.chaos.engines import LEASE

STOP = LEASE * 1.5
"""Seconds for which a worker is stopped: by then its jobs are somebody else's."""
BETWEEN = (0.3, 0.9)
"""Seconds between two strikes."""
BETWEEN_ON_ENGINES = (0.6, 1.8)
"""The same where a worker takes longer to begin."""
ALL_OF_IT = 0.5
"""How often a signal goes to all processes of a worker, and not to the main one alone."""
OUTAGE = (0.0, 1.0)
"""Seconds for which a server is away."""


class Tormentor:
    """Strikes at the workers of a crew, and at the servers if there are any."""

    def __init__(self, crew, servers, dice):
        self.struck = Counter()
        self._crew = crew
        self._servers = servers
        self._dice = dice
        self._strikes = [self.term, self.kill, self.stop, self.kill]
        self._strikes += [self.kill_child] if crew.site.has_children else []
        self._strikes += [self.restart] if servers else []
        self._deck = []
        self._asleep = []
        self._between = BETWEEN_ON_ENGINES if crew.site.is_engine else BETWEEN
        self._strikes_at = time.monotonic() + dice.uniform(*self._between)

    @property
    def has_dealt_all(self):
        """Whether everything has happened at least once."""
        return self.struck.total() >= len(self._strikes)

    def look(self):
        """Strike if it is time."""
        self._welcome()
        if time.monotonic() >= self._strikes_at:
            self._strikes_at = time.monotonic() + self._dice.uniform(*self._between)
            if not self._deck:  # each kind as often as the others, in no order
                self._deck = random.Random(self._dice.random()).sample(
                    self._strikes, len(self._strikes)
                )
            self._deck.pop()()

    def relent(self):
        """Strike no more."""
        for _, alarm in self._asleep:
            alarm.join()
        self._welcome()

    def term(self):
        self._crew.dismiss(self._victim(), everybody=self._dice.random() < ALL_OF_IT)
        self.struck["SIGTERM"] += 1

    def kill(self):
        """All of a worker, or its main process around its children."""
        victim = self._victim()
        self._crew.working.remove(victim)
        send(signal.SIGKILL, tree(victim) if self._dice.random() < ALL_OF_IT else [victim.pid])
        victim.wait()
        self.struck["SIGKILL"] += 1

    def kill_child(self):
        """Some process that a worker has started, if there is one just now."""
        victim = self._victim()
        children = tree(victim)[1:]
        if children:
            self._crew.shake([victim])
            send(signal.SIGKILL, [self._dice.choice(children)])
            self.struck["child's"] += 1

    def stop(self):
        """It stays in the crew's count no longer, so that another takes its place."""
        victim = self._victim()
        self._crew.working.remove(victim)
        stopped = tree(victim)
        send(signal.SIGSTOP, stopped)
        # By itself: this thread may have to wait for a lock that the stopped worker holds.
        alarm = threading.Timer(STOP, send, [signal.SIGCONT, stopped])
        alarm.start()
        self._asleep.append((victim, alarm))
        self.struck["SIGSTOP"] += 1

    def restart(self):
        server = self._dice.choice(self._servers)
        self._crew.shake(self._crew.working + [worker for worker, _ in self._crew.leaving])
        server.stop(self._dice.choice([server.ORDERLY, server.ABRUPT]))
        time.sleep(self._dice.uniform(*OUTAGE))
        server.begin()
        self.struck["restart"] += 1

    def _victim(self):
        return self._dice.choice(self._crew.working)

    def _welcome(self):
        """Count those in who are awake again."""
        for victim, alarm in list(self._asleep):
            if not alarm.is_alive():
                self._asleep.remove((victim, alarm))
                self._crew.working.append(victim)
