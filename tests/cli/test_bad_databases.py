"""Whatever is the matter with the database: one sentence, and no verb does damage."""

import os
import shutil
import sqlite3
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from continuable.sqlite import forks
from tests.cli.conftest import sentence

VERBS = [
    ("list",),
    ("show", "x"),
    ("watch",),
    ("pause", "x"),
    ("restart", "x"),
    ("discard", "x"),
    ("prune", "--older-than", "1d"),
    ("enqueue", "add", "1"),
    ("run", "add", "1"),
    ("worker", "--drain"),
]


@pytest.fixture(params=VERBS, ids=[verb for verb, *_ in VERBS])
def told(request, call, quiet_log):
    """What each verb says, which is to fail in one sentence."""

    def told(app, exit_code=1):
        verb, *words = request.param
        return sentence(call(verb, app, *words), exit_code)

    return told


def test_a_file_that_is_no_database(told, add, folder):
    content = "these are not the jobs you are looking for\n" * 100
    (folder / "jobs.db").write_text(content)
    assert told(add) == (
        f"The job database {folder}/jobs.db cannot be used: it is not an SQLite database: "
        f"point the queue at another file, or move this one away (file is not a database)"
    )
    assert (folder / "jobs.db").read_text() == content


def test_a_damaged_database(told, call, add, folder):
    for number in range(100):
        call("enqueue", add, "add", number)
    path = folder / "jobs.db"
    close_all()
    content = path.read_bytes()
    path.write_bytes(content[:100] + b"\xff" * (len(content) - 100))
    assert "it is damaged: stop the workers, then restore a backup" in told(add)


def test_a_folder_in_place_of_the_file(told, add, folder):
    (folder / "jobs.db").mkdir()
    assert "jobs.db cannot be used: it cannot be opened" in told(add)


def test_a_missing_folder(told, add, folder):
    path = folder / f"{add.removesuffix(':app')}.py"
    path.write_text(path.read_text().replace("sqlite:///", "sqlite:///data/"))
    assert told(add) == (
        f"The job database {folder}/data/jobs.db cannot be made: "
        f"create the folder {folder}/data first"
    )


def test_a_database_of_a_newer_release(told, call, add, folder):
    call("enqueue", add, "add", "1", "--id", "x")
    close_all()
    with closing(sqlite3.connect(folder / "jobs.db", isolation_level=None)) as connection:
        connection.execute("UPDATE continuable_schema SET version = 99")
    assert "was made by a newer release of continuable" in told(add)


def test_a_database_without_code_that_is_not_there(call, folder, quiet_log):
    for verb, *words in VERBS:
        said = sentence(call(verb, "sqlite:///missing.db", *words), 2)
        assert said.startswith(f"There is no job database {folder}/missing.db: check the url")
    assert not (folder / "missing.db").exists()


def test_a_url_that_names_no_database(call, quiet_log):
    said = sentence(call("list", "sqlite:///:memory:"), 2)
    assert said.startswith("Not the url of a database file: 'sqlite:///:memory:'. Write sqlite:///")


WRITING = [verb for verb in VERBS if verb[0] not in {"list", "show", "watch"}]


@pytest.mark.usefixtures("quiet_log")
@pytest.mark.parametrize(("verb", "words"), [(verb, words) for verb, *words in WRITING])
def test_a_database_that_may_only_be_read(call, on_readable, readable, verb, words):
    with unprivileged(readable):
        told = sentence(call(verb, on_readable, *words), 1)
    assert f"The job database {readable}/jobs.db cannot be used: it cannot be" in told
    assert "write" in told


def test_check_finds_that_a_database_may_only_be_read(call, on_readable, readable):
    with unprivileged(readable):
        result = call("check", on_readable)
    assert result.exit_code == 1
    assert f"problem  store        The job database {readable}/jobs.db cannot be" in result.stdout


@pytest.fixture
def on_readable(write, call, readable):
    """An app on a database in there that has a job."""
    module = write(
        f"""
        from continuable import App

        app = App("sqlite:///{readable}/jobs.db")

        @app.job
        def add(job, a): ...
        """
    )
    call("run", module, "add", "1", "--id", "x")
    call("check", module)
    close_all()
    return f"{module}:app"


@pytest.fixture
def readable():
    """A folder that everybody may look into: those of pytest are private."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@contextmanager
def unprivileged(folder):
    """Being somebody who may write nothing in `folder`."""
    if os.getuid() == 0:
        os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(0)
    else:
        folder.chmod(0o555)
        (folder / "jobs.db").chmod(0o444)
        try:
            yield
        finally:
            folder.chmod(0o755)


def close_all():
    for connection in list(forks.alive):
        connection.close()
