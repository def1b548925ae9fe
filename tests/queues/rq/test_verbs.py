"""The verbs of `continuable` on jobs that another engine's workers run; RQ stands for all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from continuable.app import App
from continuable.conformance.engine import (
    EngineSuite,
    StartWorker,
    await_hold,
    enqueue,
    job_of,
    result,
)
from continuable.conformance.jobs import HELD_AT, ROWS
from continuable.conformance.journal import Journal
from continuable.conformance.queues import run_behind
from continuable.conformance.workers import DEADLINE, Worker
from continuable.model.states import State
from tests.waiting import until

pytestmark = pytest.mark.slow

CONTINUABLE = (sys.executable, "-m", "continuable")
FAILED = 1
"""The exit code of `watch` for a job that has not completed, and of a verb that cannot be."""


class CommandLine:
    """Runs `continuable`, each time in a process of its own, as people do."""

    def __init__(self, target: str, environment: Mapping[str, str]) -> None:
        self._target = target
        self._environment = environment

    def __call__(self, verb: str, *words: str, exit_code: int = 0) -> str:
        """What a verb prints, once it has ended as it should."""
        done = subprocess.run(
            [*CONTINUABLE, verb, self._target, *words],
            env={**os.environ, **self._environment},
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        assert done.returncode == exit_code, (
            f"{verb}: {done.returncode}\n{done.stdout}{done.stderr}"
        )
        return done.stdout if exit_code == 0 else done.stdout + done.stderr

    def read(self, verb: str, *words: str) -> Any:
        """What it prints with `--json`."""
        return json.loads(self(verb, *words, "--json"))

    def listed(self, job_id: str, *words: str) -> Any:
        """What `list` says of one job."""
        (found,) = (job for job in self.read("list", *words) if job["id"] == job_id)
        return found

    def start(self, log: Path, verb: str, *words: str) -> Worker:
        """Start a verb that goes on until something happens."""
        return Worker([*CONTINUABLE, verb, self._target, *words], self._environment, log)


class TestVerbs(EngineSuite):
    """What a queue does when it is asked is in `QueueSuite`; here it is asked in a terminal."""

    kinds = ("Worker",)

    @pytest.fixture
    def app(self, project: ModuleType) -> App:
        return project.app

    @pytest.fixture
    def command(self, worker_command: Callable[..., list[str]]) -> Callable[..., list[str]]:
        return worker_command

    @pytest.fixture
    def environment(self, worker_environment: Mapping[str, str]) -> Mapping[str, str]:
        return worker_environment

    @pytest.fixture
    def target(self, app: App) -> str:
        """How the command line finds the app: `MODULE:APP`."""
        module = sys.modules[job_of(app, "copy_rows").function.__module__]
        (name,) = (name for name, value in vars(module).items() if value is app)
        return f"{module.__name__}:{name}"

    @pytest.fixture
    def call(self, target: str, environment: Mapping[str, str]) -> CommandLine:
        """Runs `continuable VERB MODULE:APP`."""
        return CommandLine(target, environment)

    @pytest.fixture
    def watching(self, call: CommandLine, tmp_path: Path) -> Iterator[Callable[[str], Worker]]:
        """Starts `continuable watch ID --json`."""
        started: list[Worker] = []

        def watch(job_id: str) -> Worker:
            log = tmp_path / f"watch-{len(started) + 1}.log"
            started.append(call.start(log, "watch", job_id, "--json"))
            return started[-1]

        yield watch
        for process in started:
            process.end()

    # --- looking

    def test_a_running_job_is_listed_and_shown_with_its_progress(
        self,
        app: App,
        call: CommandLine,
        start_worker: StartWorker,
        journal: Journal,
        folder: str,
    ) -> None:
        handle = enqueue(app, "copy_rows", folder)
        assert call.listed(handle.id)["state"] == "waiting"
        worker = start_worker()
        await_hold(journal, worker)
        worker.until(lambda: handle.info().cursor == HELD_AT, "a save of the cursor")
        running = call.listed(handle.id, "--state", "running")
        assert (running["step"], running["cursor"]) == ("copy", HELD_AT)
        assert (running["done"], running["total"]) == (HELD_AT, ROWS)
        (line,) = (line for line in call("list").splitlines() if line.startswith(handle.id))
        assert "running" in line
        assert f"copy cursor {HELD_AT}" in line
        assert "50 %" in line
        shown = call.read("show", handle.id)
        assert (shown["state"], shown["completed"], shown["args"]) == (
            "running",
            ["prepare"],
            [folder],
        )
        assert "50 %" in call("show", handle.id)

    def test_a_job_is_watched_until_it_ends(
        self,
        app: App,
        watching: Callable[[str], Worker],
        start_worker: StartWorker,
        journal: Journal,
        folder: str,
    ) -> None:
        handle = enqueue(app, "copy_rows", folder)
        watch = watching(handle.id)
        watch.until(lambda: '"waiting"' in watch.log, "the first line")
        await_hold(journal, start_worker())
        watch.until(lambda: f'"cursor": {HELD_AT}' in watch.log, "a line in the middle")
        journal.release()
        assert watch.wait() == 0, watch.log
        documents = [json.loads(line) for line in watch.log.splitlines()]
        assert {document["id"] for document in documents} == {handle.id}
        assert all(one != other for one, other in pairwise(documents))
        last = documents[-1]
        assert (last["state"], last["result"]) == ("completed", ROWS)
        assert HELD_AT in [document["done"] for document in documents]

    def test_an_app_with_its_jobs_is_found_in_order(
        self, app: App, call: CommandLine, start_worker: StartWorker, folder: str
    ) -> None:
        assert result(enqueue(app, "note_that_it_ran", folder, "ran"), start_worker()) == "ran"
        findings = call.read("check")
        assert {finding["level"] for finding in findings} <= {"ok", "warning"}
        assert {"app", "store", "code", "checkpoints"} <= {f["subject"] for f in findings}

    def test_jobs_that_no_worker_will_run_are_found(
        self, app: App, call: CommandLine, start_worker: StartWorker, folder: str
    ) -> None:
        def found(subject: str) -> list[str]:
            findings = json.loads(call("check", "--json", exit_code=FAILED))
            return [f["sentence"] for f in findings if f["subject"] == subject]

        job = job_of(app, "note_that_it_ran").using(queue="nowhere")
        lost = job.enqueue(folder, "ran")
        assert found("workers") == [
            "No worker is alive, and 1 job waits: start one of the engine's"
        ]
        start_worker()
        unserved = "Jobs wait on queue 'nowhere', and no worker that is alive serves it: start one"
        until(lambda: found("workers")[-1] == unserved)
        app.queue.queue("nowhere").empty()
        (sentence,) = found("messages")
        assert sentence.startswith(f"The message of {lost.id!r} is gone from the queue")

    # --- steering

    def test_a_running_job_is_paused_until_it_is_resumed(
        self,
        app: App,
        call: CommandLine,
        start_worker: StartWorker,
        journal: Journal,
        folder: str,
    ) -> None:
        handle = enqueue(app, "copy_rows", folder)
        worker = start_worker()
        await_hold(journal, worker)
        assert call.read("pause", handle.id)["state"] in {"pausing", "paused"}
        worker.until(lambda: handle.state() is State.PAUSED, "the pause")
        journal.release()
        run_behind(app, worker, folder)
        assert (handle.state(), len(journal.begins)) == (State.PAUSED, 1)
        assert journal.rows == list(range(HELD_AT))
        assert handle.id in call("list", "--state", "paused")
        assert call.read("resume", handle.id)["id"] == handle.id
        assert result(handle, worker) == ROWS
        assert journal.rows == list(range(ROWS))
        assert len(journal.begins) == 2
        told = [entry["event"] for entry in call.read("show", handle.id)["history"]]
        assert [event for event in told if event in {"job.paused", "job.resumed"}] == [
            "job.paused",
            "job.resumed",
        ]
        assert call("pause", handle.id, exit_code=FAILED).startswith("Error: Cannot pause job")

    def test_a_running_job_is_cancelled_and_retried_where_it_was(
        self,
        app: App,
        call: CommandLine,
        watching: Callable[[str], Worker],
        start_worker: StartWorker,
        journal: Journal,
        folder: str,
    ) -> None:
        handle = enqueue(app, "copy_rows", folder)
        worker = start_worker()
        await_hold(journal, worker)
        watch = watching(handle.id)
        watch.until(lambda: '"running"' in watch.log, "the first line")
        assert call.read("cancel", handle.id)["state"] in {"cancelling", "cancelled"}
        assert watch.wait() == FAILED
        assert json.loads(watch.log.splitlines()[-1])["state"] == "cancelled"
        journal.release()
        run_behind(app, worker, folder)
        assert journal.rows == list(range(HELD_AT))
        assert call.read("retry", handle.id)["id"] == handle.id
        assert result(handle, worker) == ROWS
        assert journal.rows == list(range(ROWS))
        assert len(journal.begins) == 2

    def test_a_waiting_job_is_cancelled_and_never_runs(
        self,
        app: App,
        call: CommandLine,
        start_worker: StartWorker,
        journal: Journal,
        folder: str,
    ) -> None:
        handle = enqueue(app, "copy_rows", folder)
        assert call.read("cancel", handle.id)["state"] == "cancelled"
        run_behind(app, start_worker(), folder)
        assert (handle.state(), journal.begins) == (State.CANCELLED, [])

    def test_a_failed_job_is_retried_where_it_failed_and_restarted_from_the_beginning(
        self,
        app: App,
        call: CommandLine,
        watching: Callable[[str], Worker],
        start_worker: StartWorker,
        journal: Journal,
        folder: str,
    ) -> None:
        handle = enqueue(app, "fail_halfway", folder)
        worker = start_worker()
        watch = watching(handle.id)
        assert watch.wait() == FAILED
        failed = call.listed(handle.id, "--state", "failed")
        assert (failed["step"], failed["cursor"]) == ("copy", HELD_AT)
        assert "no luck" in failed["error"]
        assert "ValueError: no luck" in call("show", handle.id)
        assert call.read("retry", handle.id)["id"] == handle.id
        assert result(handle, worker) == ROWS
        assert journal.rows == list(range(ROWS))
        assert call.read("restart", handle.id)["id"] == handle.id
        worker.until(lambda: len(journal.begins) == 3, "the new execution")
        assert result(handle, worker) == ROWS
        assert journal.rows == [*range(ROWS), *range(ROWS)]
