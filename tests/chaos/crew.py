"""The worker processes: started, and what is left of them ended."""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

from continuable.conformance.workers import descendants
from tests.chaos.worker import GRACE

ROOT = Path(__file__).parents[2]
SITE = "CONTINUABLE_CHAOS_SITE"
"""The variable that tells a worker of its site, and us which processes are of it."""
SLACK = 10.0
"""Seconds beyond its grace that a worker may take to leave on a busy machine."""
TOO_MANY = 10
"""Problems with which it is no use to go on."""
# What a worker only ever writes of a trouble that it was not made for.
UNEXPECTED = ("The heartbeat of", "is broken and stops", "Exception in thread", "Exception ignored")


class Crew:
    """Keeps `size` workers at work at `site`."""

    def __init__(self, site, size):
        self.site = site
        self.size = size
        self.working = []
        self.leaving = []
        self.problems = []
        self._shaken = set()

    def shake(self, workers):
        """What comes of these is for their engine to say.

        Celery ends with 1, or waits for ever, when Redis or a pool process dies as it leaves.
        """
        self._shaken |= {worker.pid for worker in workers} if self.site.is_engine else set()

    def fill(self):
        """Replace whoever has gone."""
        for worker in self.working:
            if worker.poll() is not None and not self.site.is_engine:
                self.problems.append(f"worker {worker.pid} has ended with {worker.returncode}")
        assert len(self.problems) < TOO_MANY, f"{self.problems}: see {self.site.path}"
        # One of another engine may end when its server does: whatever runs it starts it again.
        self.working = [worker for worker in self.working if worker.poll() is None]
        while len(self.working) < self.size:
            self.working.append(self._started())
        for worker, asked_at in list(self.leaving):
            self._look_after(worker, asked_at)

    def dismiss(self, worker, *, everybody=False):
        """Ask a worker to leave: its main process, or all that it has."""
        self.working.remove(worker)
        self.leaving.append((worker, time.monotonic()))
        send(signal.SIGTERM, tree(worker) if everybody else [worker.pid])

    def leave(self):
        """Let all leave in order."""
        for worker in list(self.working):
            self.dismiss(worker)
        while self.leaving:
            for worker, asked_at in list(self.leaving):
                self._look_after(worker, asked_at)
            time.sleep(0.02)
        deadline = time.monotonic() + GRACE + SLACK
        while self._here() and time.monotonic() < deadline:
            time.sleep(0.1)
        self.problems += [f"process {pid} was left behind" for pid in self._here()]

    def end(self):
        """Leave no process behind, whatever has happened."""
        workers = self.working + [worker for worker, _ in self.leaving]
        send(signal.SIGKILL, [worker.pid for worker in workers])
        send(signal.SIGKILL, self._here())
        for worker in workers:
            worker.wait()

    def words(self):
        """What the workers have said that none should."""
        lines = [
            line
            for log in self.site.path.glob("worker*.log")
            for line in log.read_text(errors="replace").splitlines()
        ]
        return [line for line in lines if any(words in line for words in UNEXPECTED)]

    def _look_after(self, worker, asked_at):
        taken = time.monotonic() - asked_at
        if worker.poll() is None and taken < GRACE + SLACK:
            return
        is_shaken = worker.pid in self._shaken
        if worker.poll() is None:
            if not is_shaken:
                self.problems.append(f"worker {worker.pid} has not left in {taken:.0f} s")
            send(signal.SIGABRT, tree(worker))  # they write to the log where they are
            worker.wait()
        elif worker.returncode and self._has_begun(worker) and not is_shaken:
            self.problems.append(f"worker {worker.pid} left with {worker.returncode} after SIGTERM")
        self.leaving.remove((worker, asked_at))

    def _has_begun(self, worker):
        """Whether it has run a job: before that, a signal may end it as any process."""
        journal = self.site.path / f"{worker.pid}.journal"
        return journal.exists() and "began" in journal.read_text()

    def _here(self):
        """All processes of this site, also those whose worker has died around them."""
        mark = f"{SITE}={self.site.to_json()}".encode()
        found = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):  # it has ended meanwhile
                if mark in path.read_bytes().split(b"\0"):
                    found.append(int(path.parent.name))
        return found

    def _started(self):
        with (self.site.path / f"worker-{time.monotonic_ns()}.log").open("wb") as log:
            return subprocess.Popen(
                self.site.command,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
                    "PYTHONFAULTHANDLER": "1",
                    SITE: self.site.to_json(),
                },
                start_new_session=True,
            )


def tree(worker):
    """The processes of a worker, its main one first."""
    return [worker.pid, *descendants(worker.pid)]


def send(number, pids):
    """Send a signal to whoever of them is still there."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
