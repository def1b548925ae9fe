import contextlib
import os
import shutil
import threading

import pytest

from continuable.queues.embedded.liveness import workers_folder
from continuable.queues.embedded.wakeup import Fifo, Polling, doorbell_of, ring

LONG = 30


@pytest.fixture
def bell(database):
    bell = doorbell_of(database, "me")
    yield bell
    bell.withdraw()


def files(path):
    folder = workers_folder(path)
    return sorted(file.name for file in folder.iterdir()) if folder.exists() else []


def test_a_ring_wakes_a_sleeper(bell, path):
    bell.announce()
    ringer = threading.Thread(target=ring, args=[path])
    ringer.start()
    assert bell.wait(LONG)
    ringer.join()


def test_a_ring_before_the_sleep_is_not_lost(bell, path):
    bell.announce()
    ring(path)
    assert bell.wait(LONG)


def test_many_rings_wake_once(bell, path):
    bell.announce()
    for _ in range(100):
        ring(path)
    assert bell.wait(LONG)
    assert not bell.wait(0)


def test_nobody_rings_and_the_time_is_up(bell):
    bell.announce()
    assert not bell.wait(0.01)


def test_something_else_may_wake_the_sleeper_too(bell):
    reading, writing = os.pipe()
    bell.announce()
    os.write(writing, b"\x0f")
    assert not bell.wait(LONG, also=[reading])
    os.close(reading)
    os.close(writing)


def test_all_idle_workers_are_rung(bell, database, path):
    other = Fifo(path, "other")
    bell.announce()
    other.announce()
    ring(path)
    assert bell.wait(0)
    assert other.wait(0)
    other.withdraw()


def test_without_a_worker_a_ring_does_nothing(path):
    ring(path)
    assert files(path) == []


def test_a_withdrawn_bell_leaves_nothing(bell, path):
    bell.announce()
    assert files(path) == ["me.fifo"]
    bell.withdraw()
    bell.withdraw()
    assert files(path) == []
    ring(path)
    with pytest.raises(RuntimeError, match="announce"):
        bell.wait(0)


@pytest.mark.parametrize("removed", ["file", "folder"])
def test_a_bell_that_somebody_removed_is_put_up_again(bell, path, removed):
    bell.announce()
    shutil.rmtree(bell.path.parent) if removed == "folder" else bell.path.unlink()
    bell.announce()
    ring(path)
    assert bell.wait(0)


def test_the_bell_of_a_dead_worker_is_removed(path):
    workers_folder(path).mkdir()
    os.mkfifo(workers_folder(path) / "dead.fifo")
    ring(path)
    assert files(path) == []


def test_a_bell_that_nobody_answers_can_be_rung_for_ever(bell, path):
    bell.announce()
    descriptor = os.open(bell.path, os.O_WRONLY | os.O_NONBLOCK)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(descriptor, b"!" * 4096)
    os.close(descriptor)
    ring(path)
    assert bell.wait(0)


def test_where_there_are_no_fifos_the_database_is_watched(database, raw, enqueue):
    enqueue()
    polling = Polling(database)
    polling.announce()
    assert not polling.wait(0.01)
    raw.execute("UPDATE continuable_jobs SET priority = 1")
    assert polling.wait(LONG)
    assert not polling.wait(0.01)
    polling.withdraw()
