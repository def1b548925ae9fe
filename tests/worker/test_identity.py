"""What a worker is called, and what its name tells of its death."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from continuable.worker import identity
from continuable.worker.identity import has_died, new_worker_id
from tests.waiting import until

on_linux = pytest.mark.skipif(not Path("/proc").exists(), reason="only Linux tells")


@pytest.fixture
def worker_of():
    """The id of a worker in a process of its own, which lives until it is told to end."""
    program = (
        "from continuable.worker.identity import new_worker_id as new\n"
        "print(new(), flush=True); input()"
    )
    started = []

    def worker_of():
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process, process.stdout.readline().strip()

    yield worker_of
    for process in started:
        process.kill()
        process.communicate()


def test_no_two_workers_have_the_same_id():
    assert new_worker_id() != new_worker_id()
    assert f"-{os.getpid()}-" in new_worker_id()


@on_linux
def test_a_worker_has_died_when_its_process_is_gone(worker_of):
    process, worker = worker_of()
    assert not has_died(worker)
    process.kill()
    process.wait()
    assert has_died(worker)


@on_linux
def test_a_worker_has_died_although_nobody_has_asked_how(worker_of):
    process, worker = worker_of()
    process.kill()
    until(lambda: Path(f"/proc/{process.pid}/stat").read_text().split()[2] == "Z", "its death")
    assert has_died(worker)


@on_linux
def test_nothing_is_known_of_a_worker_elsewhere(worker_of, monkeypatch):
    process, worker = worker_of()
    process.kill()
    process.wait()
    host, pid, token = worker.rsplit("-", 2)
    assert not has_died(f"other{host}-{pid}-{token}")
    identity.machine.cache_clear()
    monkeypatch.setattr(identity, "BOOT", Path("/proc/sys/kernel/random/uuid"))  # another boot
    assert not has_died(worker)
    identity.machine.cache_clear()
    monkeypatch.setattr(identity, "BOOT", Path("/no/such/file"))  # another system
    assert not has_died(new_worker_id().replace(f"-{os.getpid()}-", f"-{pid}-"))
    identity.machine.cache_clear()


@pytest.mark.parametrize("worker", ["", "dead", "worker-1", "host-12-", "host-x-y", "a-b-c-d"])
def test_nothing_is_known_of_a_name_that_is_none_of_ours(worker):
    assert not has_died(worker)
