import os
import shutil
import signal
import stat
import subprocess
import sys

import pytest

from continuable.errors import StoreError
from continuable.queues.embedded import liveness
from continuable.queues.embedded.liveness import (
    Watch,
    WorkerLock,
    dead_workers,
    known_workers,
    last_word,
    live_workers,
    lock_path,
    remove_files,
    workers_folder,
)
from continuable.worker.identity import new_worker_id
from tests.queues.embedded.dead import dead_worker
from tests.waiting import until

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


def test_a_worker_without_a_file_is_dead_only_once_it_had_time_to_make_another(path, monkeypatch):
    watch = Watch(path)
    assert [watch.dead(["nobody"]) for _ in range(3)] == [set()] * 3
    monkeypatch.setattr(liveness, "MISSING", 0.0)
    assert watch.dead(["nobody"]) == {"nobody"}
    assert known_workers(path) == set()


def test_a_worker_without_a_file_whose_process_is_gone_is_dead(path):
    worker = dead_worker()
    assert dead_workers(path, [worker]) == {worker}


def test_one_look_alone_takes_none_for_dead(path, other):
    other.kill()
    other.wait()
    watch = Watch(path)
    assert [watch.dead(["other"]) for _ in range(2)] == [set(), {"other"}]


def test_a_running_process_is_alive(path, other):
    assert dead_workers(path, ["other"]) == set()
    assert known_workers(path) == {"other"}


def test_workers_of_a_file_that_was_replaced_are_not_those_of_the_new_one(path):
    path.touch()
    lock = WorkerLock(path, "old")
    lock.acquire()
    assert live_workers(path) == {"old": None}
    path.rename(path.with_name("moved.db"))
    path.touch()
    assert live_workers(path) == {}
    lock.release()


def test_a_worker_that_gives_up_can_say_why(path, other):
    lock = WorkerLock(path, "me")
    lock.acquire()
    assert last_word(path, "me") is None
    lock.leave_word("stopping")
    assert last_word(path, "me") == "stopping"
    assert last_word(path, "other") is None
    lock.release()
    assert last_word(path, "me") is None


def test_a_forked_child_does_not_keep_the_lock_of_its_parent(path):
    program = f"import os, time\n{HOLD.replace('sys.stdin.read()', 'os.fork() or time.sleep(60)')}"
    parent = subprocess.Popen(
        [sys.executable, "-c", f"{program}\nos._exit(0)", str(path), "other"],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert parent.stdout.readline() == b"locked\n"
        parent.wait()
        until(lambda: dead_workers(path, ["other"]), "the child lets go")
    finally:
        os.killpg(parent.pid, signal.SIGKILL)
        parent.stdout.close()


def test_files_and_folder_are_of_this_user_alone(path):
    """And of the group, where the umask has let it write."""
    for umask, modes in (0o022, (0o700, 0o600)), (0o002, (0o770, 0o660)):
        before = os.umask(umask)
        try:
            lock = WorkerLock(path.with_name(f"{umask}.db"), "me")
            lock.acquire()
        finally:
            os.umask(before)
        places = (lock.path.parent, lock.path)
        assert tuple(stat.S_IMODE(place.stat().st_mode) for place in places) == modes
        lock.release()


def test_a_link_in_the_place_of_the_folder_is_refused(path, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    workers_folder(path).symlink_to(elsewhere)
    with pytest.raises(StoreError, match="cannot be written"):
        WorkerLock(path, "me").acquire()
    assert list(elsewhere.iterdir()) == []


def test_a_killed_process_is_dead_at_once(path, other):
    other.kill()
    other.wait()
    assert dead_workers(path, ["other"]) == {"other"}
    remove_files(path, ["other"])
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
    assert known_workers(path) == set()


def is_dead_to_others(path, worker):
    check = "import sys; from pathlib import Path\n"
    check += "from continuable.queues.embedded.liveness import dead_workers\n"
    check += "print(dead_workers(Path(sys.argv[1]), [sys.argv[2]]))"
    answer = subprocess.check_output([sys.executable, "-c", check, str(path), worker], text=True)
    return worker in answer


@pytest.mark.parametrize("how", ["closed", "removed", "replaced", "folder removed"])
def test_a_lock_survives_what_jobs_and_cleaners_do_to_its_file(path, how):
    lock = WorkerLock(path, "me")
    lock.acquire()
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
    if how != "replaced":
        assert not is_dead_to_others(path, "me")
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
