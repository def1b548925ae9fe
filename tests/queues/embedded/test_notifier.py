import contextlib
import os
import shutil
import threading

import pytest

from continuable.queues.embedded.liveness import workers_folder
from continuable.queues.embedded.notifier import Fifo, Polling, listener_of, notify

LONG = 30


@pytest.fixture
def listener(database):
    listener = listener_of(database, "me")
    yield listener
    listener.unlisten()


def files(path):
    folder = workers_folder(path)
    return sorted(file.name for file in folder.iterdir()) if folder.exists() else []


def test_a_notification_wakes_a_sleeper(listener, path):
    listener.listen()
    ringer = threading.Thread(target=notify, args=[path])
    ringer.start()
    assert listener.wait(LONG)
    ringer.join()


def test_a_notification_before_the_sleep_is_not_lost(listener, path):
    listener.listen()
    notify(path)
    assert listener.wait(LONG)


def test_many_notifications_wake_once(listener, path):
    listener.listen()
    for _ in range(100):
        notify(path)
    assert listener.wait(LONG)
    assert not listener.wait(0)


def test_without_a_notification_the_time_is_up(listener):
    listener.listen()
    assert not listener.wait(0.01)


def test_something_else_may_wake_the_sleeper_too(listener):
    reading, writing = os.pipe()
    listener.listen()
    os.write(writing, b"\x0f")
    assert not listener.wait(LONG, also=[reading])
    os.close(reading)
    os.close(writing)


def test_all_idle_workers_are_notified(listener, database, path):
    other = Fifo(path, "other")
    listener.listen()
    other.listen()
    notify(path)
    assert listener.wait(0)
    assert other.wait(0)
    other.unlisten()


def test_without_a_worker_a_notification_does_nothing(path):
    notify(path)
    assert files(path) == []


def test_a_listener_that_listens_no_more_leaves_nothing(listener, path):
    listener.listen()
    assert files(path) == ["me.fifo"]
    listener.unlisten()
    listener.unlisten()
    assert files(path) == []
    notify(path)
    with pytest.raises(RuntimeError, match="listen"):
        listener.wait(0)


@pytest.mark.parametrize("removed", ["file", "folder"])
def test_a_pipe_that_somebody_removed_is_made_again(listener, path, removed):
    listener.listen()
    shutil.rmtree(listener.path.parent) if removed == "folder" else listener.path.unlink()
    listener.listen()
    notify(path)
    assert listener.wait(0)


def test_the_pipe_of_a_dead_worker_is_removed(path):
    workers_folder(path).mkdir()
    os.mkfifo(workers_folder(path) / "dead.fifo")
    notify(path)
    assert files(path) == []


def test_a_pipe_that_nobody_reads_can_be_notified_for_ever(listener, path):
    listener.listen()
    descriptor = os.open(listener.path, os.O_WRONLY | os.O_NONBLOCK)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(descriptor, b"!" * 4096)
    os.close(descriptor)
    notify(path)
    assert listener.wait(0)


def test_where_there_are_no_fifos_the_database_is_watched(database, raw, enqueue):
    enqueue()
    polling = Polling(database)
    polling.listen()
    assert not polling.wait(0.01)
    raw.execute("UPDATE continuable_jobs SET priority = 1")
    assert polling.wait(LONG)
    assert not polling.wait(0.01)
    polling.unlisten()
