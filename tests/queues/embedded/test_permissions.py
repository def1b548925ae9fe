"""Files that a user may not write, tried as a user who may not: root, who may, becomes nobody."""

import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from continuable import App
from continuable.model.states import State
from tests.waiting import DEADLINE

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")

TRY = """
import os, pwd, sys
from continuable import App
from continuable.errors import StoreError
from continuable.queues.embedded.worker import Worker, WorkerOptions

def attempt(folder):
    app = App(f"sqlite:///{folder}/jobs.db")
    app.job(name="add")(lambda job: 1)
    verbs = {
        "enqueue": lambda: app.jobs["add"].enqueue().id,
        "list": lambda: len(app.queue.board.list()),
        "work": lambda: Worker(app.queue, WorkerOptions(drain=True)).run(),
    }
    try:
        return verbs[sys.argv[2]]()
    except StoreError as error:
        return f"StoreError: {error}"

with __import__("tempfile").TemporaryDirectory() as elsewhere:
    attempt(elsewhere)  # so that all is imported while it can be read
if os.getuid() == 0:
    nobody = pwd.getpwnam("nobody")
    os.setgroups([])
    os.setgid(nobody.pw_gid)
    os.setuid(nobody.pw_uid)
print(attempt(sys.argv[1]))
"""


@pytest.fixture
def folder():
    """A folder that everybody may enter, as those of pytest are not."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o700)


@pytest.fixture
def app(folder):
    """The app of whoever may write."""
    app = App(f"sqlite:///{folder}/jobs.db")
    app.job(name="add")(lambda job: 1)
    app.jobs["add"].enqueue()
    with closing(app.queue):
        yield app


def attempt(folder: Path, verb: str) -> str:
    """What comes of `verb` where one may not write."""
    command = [sys.executable, "-c", TRY, str(folder), verb]
    return subprocess.check_output(command, text=True, timeout=30).strip()


def forbid(folder: Path, mode: int) -> None:
    for file in folder.iterdir():
        file.chmod(mode)
    folder.chmod(0o555)


@pytest.mark.parametrize("verb", ["enqueue", "list", "work"])
def test_a_read_only_folder_says_what_to_change(folder, verb):
    folder.chmod(0o555)
    told = attempt(folder, verb)
    assert told.startswith(f"StoreError: The job database {folder}/jobs.db cannot be ")
    assert "its folder must exist, and this user must be able to write there" in told
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("verb", ["enqueue", "work"])
def test_a_read_only_file_says_what_to_change(app, folder, verb):
    forbid(folder, 0o444)
    told = attempt(folder, verb)
    assert told.startswith(f"StoreError: The job database {folder}/jobs.db cannot be used: ")
    assert "give this user write access to the file and its folder" in told
    assert app.queue.board.counts() == {State.WAITING: 1}


def test_a_read_only_file_can_be_looked_into_while_others_write_it(app, folder):
    forbid(folder, 0o444)
    assert attempt(folder, "list") == "1"


def test_who_may_write_the_file_alone_may_enqueue_and_not_work(app, folder):
    forbid(folder, 0o666)
    assert len(attempt(folder, "enqueue")) == 20
    told = attempt(folder, "work")
    assert told.startswith("StoreError: No worker can start on this database: ")
    assert f"{folder}/jobs.db-workers cannot be written" in told
    assert app.queue.board.counts() == {State.WAITING: 2}


def test_a_worker_whose_lock_cannot_be_tried_is_not_taken_for_dead(app, folder):
    """Another user's: it is left to those who can try it."""
    (folder / "jobs.db-workers").mkdir()
    app.queue.table.claim_next("theirs")
    for file in folder.iterdir():
        file.chmod(0o777 if file.is_dir() else 0o666)
    folder.chmod(0o777)
    (folder / "jobs.db-workers" / "theirs.lock").touch(0o000)
    own = app.jobs["add"].enqueue()
    # The job that seems to be running is pending, so that it works until it is told to stop.
    worker = subprocess.Popen([sys.executable, "-c", TRY, str(folder), "work"])
    assert own.result(timeout=DEADLINE) == 1
    worker.terminate()
    assert worker.wait(DEADLINE) == 0
    assert app.queue.board.counts() == {State.RUNNING: 1, State.COMPLETED: 1}
