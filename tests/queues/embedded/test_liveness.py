import os
import shutil
import signal
import subprocess
import sys

import pytest

from continuable.queues.embedded.liveness import (
    WorkerLock,
    bury,
    dead_workers,
    known_workers,
    lock_path,
)
from continuable.worker.identity import new_worker_id

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="stops processes by signals")

HOLD = """
import sys
from pathlib import Path
from continuable.queues.embedded.liveness import WorkerLock
WorkerLock(Path(sys.argv[1]), sys.argv[2]).acquire()
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other(path):
    """Another process that is the worker `other`."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path), "other"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"locked\n"
    yield process
    process.kill()
    process.communicate()


def test_ids_are_never_the_same():
    assert new_worker_id() != new_worker_id()
    assert f"-{os.getpid()}-" in new_worker_id()


def test_a_worker_without_a_file_is_dead(path):
    assert dead_workers(path, ["nobody"]) == {"nobody"}
    assert known_workers(path) == set()


def test_a_running_process_is_alive(path, other):
    assert dead_workers(path, ["other", "nobody"]) == {"nobody"}
    assert known_workers(path) == {"other"}


def test_a_killed_process_is_dead_at_once(path, other):
    other.kill()
    other.wait()
    assert dead_workers(path, ["other"]) == {"other"}
    bury(path, ["other"])
    assert known_workers(path) == set()


def test_a_stopped_process_keeps_its_jobs(path, other):
    other.send_signal(signal.SIGSTOP)
    os.waitpid(other.pid, os.WUNTRACED)
    assert dead_workers(path, ["other"]) == set()
    other.send_signal(signal.SIGCONT)


def test_asking_for_itself_does_not_drop_its_own_lock(path):
    lock = WorkerLock(path, "me")
    lock.acquire()
    assert dead_workers(path, ["me"]) == set()
    assert not is_dead_to_others(path, "me")
    lock.release()
    assert dead_workers(path, ["me"]) == {"me"}
    assert known_workers(path) == set()


def is_dead_to_others(path, worker):
    check = "import sys; from pathlib import Path\n"
    check += "from continuable.queues.embedded.liveness import dead_workers\n"
    check += "print(dead_workers(Path(sys.argv[1]), [sys.argv[2]]))"
    answer = subprocess.check_output([sys.executable, "-c", check, str(path), worker], text=True)
    return worker in answer


@pytest.mark.parametrize("how", ["closed", "removed", "replaced", "folder removed"])
def test_a_lock_that_was_lost_is_taken_again(path, how):
    lock = WorkerLock(path, "me")
    lock.acquire()
    lock.keep()
    assert not is_dead_to_others(path, "me")
    match how:
        case "closed":
            lock.path.read_bytes()  # opens and closes it
        case "removed":
            lock.path.unlink()
        case "replaced":
            lock.path.unlink()
            lock.path.touch()
        case _:
            shutil.rmtree(lock.path.parent)
    assert is_dead_to_others(path, "me")
    lock.keep()
    assert not is_dead_to_others(path, "me")
    lock.release()
    assert known_workers(path) == set()


def test_a_worker_whose_file_was_removed_before_it_was_locked_makes_another(path, monkeypatch):
    """A sweeper that sees the file before its owner has locked it takes it for a dead one's."""
    lock = WorkerLock(path, "me")
    real_open, removed = os.open, []

    def open_and_lose(target, *args):
        descriptor = real_open(target, *args)
        if not removed:
            removed.append(target)
            target.unlink()
        return descriptor

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", open_and_lose)
        lock.acquire()
    assert lock_path(path, "me").exists()
    lock.release()


def test_releasing_twice_does_nothing(path):
    lock = WorkerLock(path, "me")
    lock.acquire()
    lock.release()
    lock.release()
