"""`QueueSuite`: what every queue that runs on another engine must do, with real workers.

Subclass it in a test module, and say which kinds of worker the engine has. The jobs are declared
in a module that workers import (`continuable.conformance.jobs` says how), and its app is the one
that the tests enqueue with:

    class TestMyQueue(QueueSuite):
        kinds = ("processes", "threads")

        @pytest.fixture
        def app(self, my_broker):
            return my_project.app

        @pytest.fixture
        def command(self, my_broker):
            return lambda kind: ["myworker", "--pool", kind, "-A", "my_project"]

        @pytest.fixture
        def environment(self, my_broker):
            return {"MY_BROKER": my_broker.url}
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from continuable.app import App
from continuable.conformance.bad_times import BadTimesSuite
from continuable.conformance.capabilities import CapabilitySuite
from continuable.conformance.engine import (
    StartWorker,
    await_hold,
    enqueue,
    folder_of,
    job_of,
    result,
)
from continuable.conformance.jobs import ELSEWHERE, HELD_AT, HIGH, ROWS, WAIT
from continuable.conformance.journal import Journal
from continuable.conformance.workers import DEADLINE, Worker
from continuable.declaration.handle import Handle
from continuable.errors import JobCancelledError, JobFailedError, JobNotFoundError
from continuable.model.payload import JobRecord
from continuable.model.states import State

WAITING = 4
"""Jobs that wait behind one that runs."""


class QueueSuite(BadTimesSuite, CapabilitySuite):
    """Subclass it, name its `kinds`, and give it the fixtures `app`, `command`, `environment`.

    What the queue cannot do is said by its own flags (`continuable.queues.capabilities`). The app's
    store has the lease `jobs.LEASE`, so that a test can wait for it. Every worker must serve the
    engine's default queue and `jobs.ELSEWHERE`, and run one job at a time.
    """

    exit_codes: ClassVar[frozenset[int]] = frozenset({0})
    """With what does a worker end that was told to stop?"""

    @pytest.fixture
    def send_again(self, app: App) -> Callable[[Handle[Any]], None]:
        """Sends the first message of a job once more, as an engine does that lost its ack."""
        return lambda handle: app.queue.send(first_message(handle), 0.0)

    @pytest.fixture
    def enqueue_with_retry(self, app: App) -> Callable[..., str]:
        """Enqueues a call such that the engine itself tries it once more, at once; the job's id."""
        raise NotImplementedError("Give the suite a fixture `enqueue_with_retry`")

    @pytest.fixture
    def retries_used(self) -> Callable[[str], int]:
        """How many of a job's retries the engine has used up, where it counts them."""
        return lambda _job_id: 0

    @pytest.fixture
    def restart_server(self) -> Callable[[], object] | None:
        """Restarts the server that the engine keeps its messages on, where a test may do that."""
        return None

    # --- a job and its end

    def test_a_job_runs_to_its_end(
        self, app: App, start_worker: StartWorker, kind: str, journal: Journal, folder: str
    ) -> None:
        journal.release()
        handle = enqueue(app, "copy_rows", folder)
        start_worker(kind)
        assert handle.result(timeout=DEADLINE) == ROWS
        assert handle.state() is State.COMPLETED
        assert journal.rows == list(range(ROWS))

    # --- stops

    @pytest.mark.parametrize("whom", ["main", "all"])
    def test_a_worker_that_is_stopped_hands_its_job_over(
        self,
        app: App,
        start_worker: StartWorker,
        kind: str,
        whom: str,
        journal: Journal,
        folder: str,
        retries_used: Callable[[str], int],
        is_shown_as_failed: Callable[[str], bool],
    ) -> None:
        handle = enqueue(app, "copy_rows", folder)
        first = start_worker(kind)
        await_hold(journal, first)
        before = handle.info()
        (first.signal_main if whom == "main" else first.signal_all)(signal.SIGTERM)
        assert first.wait() in self.exit_codes, first.log
        after = handle.info()
        assert (after.state, after.reason) == (State.INTERRUPTED, "stopping"), first.log
        assert (after.executions, after.resumptions) == (1, 1)
        assert (after.step, after.cursor, after.queue) == ("copy", HELD_AT, before.queue)
        assert retries_used(handle.id) == 0
        assert not is_shown_as_failed(handle.id)
        journal.release()
        second = start_worker(kind)
        assert result(handle, second) == ROWS
        assert journal.rows == list(range(ROWS))
        assert len(journal.begins) == 2
        assert not journal.runs_overlap

    def test_an_async_job_is_handed_over_too(
        self, app: App, start_worker: StartWorker, kind: str, journal: Journal, folder: str
    ) -> None:
        if not app.queue.runs_async_jobs:
            pytest.skip("this queue runs no async jobs")
        handle = enqueue(app, "acopy_rows", folder)
        first = start_worker(kind)
        await_hold(journal, first)
        first.signal_main(signal.SIGTERM)
        assert first.wait() in self.exit_codes, first.log
        assert handle.state() is State.INTERRUPTED
        journal.release()
        assert result(handle, start_worker(kind)) == ROWS
        assert journal.rows == list(range(ROWS))

    def test_jobs_that_a_stopping_worker_has_not_begun_go_back_uncounted(
        self, app: App, start_worker: StartWorker, journal: Journal, folder: str, tmp_path: Path
    ) -> None:
        running = enqueue(app, "copy_rows", folder)
        first = start_worker()
        await_hold(journal, first)
        folders = [str(folder_of(tmp_path, f"waiting-{n}")) for n in range(WAITING)]
        waiting = [enqueue(app, "note_that_it_ran", there, "ran") for there in folders]
        first.signal_main(signal.SIGTERM)
        assert first.wait() in self.exit_codes, first.log
        journal.release()
        for handle in waiting:
            info = handle.info()
            assert (info.state, info.executions, info.resumptions) == (State.WAITING, 0, 0)
        second = start_worker()
        assert [result(handle, second) for handle in waiting] == ["ran"] * WAITING
        assert [len(Journal(there).begins) for there in folders] == [1] * WAITING
        assert result(running, second) == ROWS

    # --- kills

    @pytest.mark.parametrize("whom", ["job", "all"])
    def test_a_job_whose_process_is_killed_resumes_at_its_last_save(
        self,
        app: App,
        start_worker: StartWorker,
        kind: str,
        whom: str,
        journal: Journal,
        folder: str,
        is_shown_as_failed: Callable[[str], bool],
    ) -> None:
        handle = enqueue(app, "copy_rows", folder)
        first = start_worker(kind)
        await_hold(journal, first)
        first.until(lambda: handle.info().cursor == HELD_AT, "a save of the cursor")
        if whom == "all":
            first.signal_all(signal.SIGKILL)
        elif journal.begins[0].pid == first.pid:
            pytest.skip("this kind of worker is one process")
        else:
            os.kill(journal.begins[0].pid, signal.SIGKILL)
        shown_as_failed = []
        second = start_worker(kind)

        def is_back() -> bool:
            shown_as_failed.append(is_shown_as_failed(handle.id))
            return len(journal.begins) == 2

        second.until(is_back, "another execution")
        journal.release()
        assert result(handle, second) == ROWS
        assert journal.rows == list(range(ROWS))
        assert len(journal.begins) == 2
        assert not journal.runs_overlap
        assert not any(shown_as_failed)

    def test_a_job_whose_worker_is_killed_around_it_is_not_run_twice_at_once(
        self, app: App, start_worker: StartWorker, kind: str, journal: Journal, folder: str
    ) -> None:
        handle = enqueue(app, "copy_rows", folder)
        first = start_worker(kind)
        await_hold(journal, first)
        if journal.begins[0].pid == first.pid:
            pytest.skip("this kind of worker is one process")
        first.signal_main(signal.SIGKILL)
        journal.release()
        assert result(handle, start_worker(kind)) == ROWS
        assert sorted(set(journal.rows)) == list(range(ROWS))
        assert not journal.runs_overlap

    def test_a_job_outlives_a_restart_of_its_engines_server(
        self,
        app: App,
        start_worker: StartWorker,
        journal: Journal,
        folder: str,
        restart_server: Callable[[], object] | None,
    ) -> None:
        if not app.queue.is_on_server:
            pytest.skip("this queue is on no server")
        if restart_server is None:
            pytest.skip("this server is not the tests' to restart")
        handle = enqueue(app, "copy_rows", folder)
        worker = start_worker()
        await_hold(journal, worker)
        restart_server()
        journal.release()
        assert result(handle, start_worker()) == ROWS
        assert sorted(set(journal.rows)) == list(range(ROWS))
        assert not journal.runs_overlap

    # --- duplicates

    def test_a_job_that_is_delivered_twice_at_once_runs_once(
        self,
        app: App,
        start_worker: StartWorker,
        journal: Journal,
        folder: str,
        send_again: Callable[[Handle[Any]], None],
    ) -> None:
        handle = enqueue(app, "copy_rows", folder)
        worker = start_worker()
        await_hold(journal, worker)
        send_again(handle)
        start_worker()
        # Whoever takes the second message is through with it once it has run this job.
        behind = enqueue(app, "note_that_it_ran", str(folder_of(Path(folder), "behind")), "ran")
        assert result(behind, worker) == "ran"
        assert len(journal.begins) == 1
        journal.release()
        assert result(handle, worker) == ROWS
        assert journal.rows == list(range(ROWS))
        assert len(journal.begins) == 1

    def test_a_finished_job_that_is_delivered_again_is_dropped(
        self,
        app: App,
        start_worker: StartWorker,
        journal: Journal,
        folder: str,
        send_again: Callable[[Handle[Any]], None],
    ) -> None:
        handle = enqueue(app, "note_that_it_ran", folder, "ran")
        worker = start_worker()
        assert result(handle, worker) == "ran"
        send_again(handle)
        behind = enqueue(app, "note_that_it_ran", str(folder_of(Path(folder), "behind")), "ran")
        assert result(behind, worker) == "ran"
        assert len(journal.begins) == 1
        assert handle.result(timeout=0) == "ran"

    # --- how a job comes back

    def test_an_isolated_step_has_an_execution_of_its_own(
        self, app: App, start_worker: StartWorker, journal: Journal, folder: str
    ) -> None:
        handle = enqueue(app, "run_isolated_steps", folder)
        result(handle, start_worker())
        steps = {e.what: e.execution for e in journal.entries if e.what != "begin"}
        assert steps == {"first": 1, "second": 2, "third": 3, "fourth": 4}
        assert handle.info().resumptions == 0

    def test_a_job_comes_back_when_and_where_its_resume_options_say(
        self, app: App, start_worker: StartWorker, journal: Journal, folder: str
    ) -> None:
        handle = enqueue(app, "move_elsewhere", folder)
        assert result(handle, start_worker()) == [ELSEWHERE, 2]
        info = handle.info()
        assert (info.queue, info.priority, info.resumptions) == (ELSEWHERE, HIGH, 1)
        first, second = journal.begins
        assert second.at - first.at >= WAIT

    # --- errors

    def test_an_error_without_progress_is_the_engines_to_handle(
        self,
        start_worker: StartWorker,
        app: App,
        journal: Journal,
        folder: str,
        is_shown_as_failed: Callable[[str], bool],
        request: pytest.FixtureRequest,
    ) -> None:
        handle = enqueue(app, "fail", folder, 1)
        worker = start_worker()
        with pytest.raises(JobFailedError, match="no luck"):
            handle.result(timeout=DEADLINE)
        assert len(journal.begins) == 1
        if app.queue.retries_failures:
            enqueue_with_retry = request.getfixturevalue("enqueue_with_retry")
            other = folder_of(Path(folder), "other")
            retried = app.handle(enqueue_with_retry(job_of(app, "fail"), str(other), 1))
            worker.until(lambda: len(Journal(other).begins) == 2, "a retry of the engine's")
            worker.until(lambda: retried.state() is State.COMPLETED, "the end")
            assert result(retried, worker) == "well"
            assert not is_shown_as_failed(retried.id)

    def test_an_error_after_progress_resumes_the_job(
        self, app: App, start_worker: StartWorker, journal: Journal, folder: str
    ) -> None:
        handle = enqueue(app, "fail_after_progress", folder)
        assert result(handle, start_worker()) == "well"
        assert len(journal.begins) == 2
        assert [entry.what for entry in journal.entries].count("progress") == 1
        assert handle.info().resumptions == 1

    # --- handles

    def test_a_running_job_is_paused_and_resumed(
        self,
        app: App,
        start_worker: StartWorker,
        journal: Journal,
        folder: str,
        is_shown_as_failed: Callable[[str], bool],
    ) -> None:
        handle = enqueue(app, "copy_rows", folder)
        worker = start_worker()
        await_hold(journal, worker)
        handle.pause()
        worker.until(lambda: handle.state() is State.PAUSED, "the pause")
        journal.release()
        run_behind(app, worker, folder)
        assert (handle.state(), len(journal.begins)) == (State.PAUSED, 1)
        assert not is_shown_as_failed(handle.id)
        handle.resume()
        assert result(handle, worker) == ROWS
        assert journal.rows == list(range(ROWS))
        assert handle.info().resumptions == 0

    def test_a_waiting_job_is_paused_and_resumed(
        self, app: App, start_worker: StartWorker, journal: Journal, folder: str
    ) -> None:
        handle = enqueue(app, "note_that_it_ran", folder, "ran")
        handle.pause()
        worker = start_worker()
        run_behind(app, worker, folder)
        assert (handle.state(), journal.begins) == (State.PAUSED, [])
        handle.resume()
        assert result(handle, worker) == "ran"
        assert len(journal.begins) == 1

    @pytest.mark.parametrize(
        "verbs",
        [("pause", "resume", "pause", "resume"), ("cancel", "retry"), ("restart", "restart")],
        ids="-".join,
    )
    def test_a_waiting_job_runs_once_whatever_was_asked_of_it(
        self,
        app: App,
        start_worker: StartWorker,
        journal: Journal,
        folder: str,
        verbs: tuple[str, ...],
    ) -> None:
        handle = enqueue(app, "note_that_it_ran", folder, "ran")
        for verb in verbs:
            getattr(handle, verb)()
        worker = start_worker()
        assert result(handle, worker) == "ran"
        run_behind(app, worker, folder)
        assert len(journal.begins) == 1
        assert handle.state() is State.COMPLETED

    def test_a_running_job_is_cancelled_and_called_back(
        self,
        app: App,
        start_worker: StartWorker,
        journal: Journal,
        folder: str,
        is_shown_as_failed: Callable[[str], bool],
    ) -> None:
        handle = enqueue(app, "copy_rows", folder)
        worker = start_worker()
        await_hold(journal, worker)
        handle.cancel()
        with pytest.raises(JobCancelledError):
            handle.result(timeout=DEADLINE)
        journal.release()
        run_behind(app, worker, folder)
        assert journal.rows == list(range(HELD_AT))
        assert not is_shown_as_failed(handle.id)
        handle.retry()
        assert result(handle, worker) == ROWS
        assert journal.rows == list(range(ROWS))

    def test_a_waiting_job_is_cancelled(
        self,
        app: App,
        start_worker: StartWorker,
        journal: Journal,
        folder: str,
        is_shown_as_failed: Callable[[str], bool],
    ) -> None:
        handle = enqueue(app, "note_that_it_ran", folder, "ran")
        handle.cancel()
        worker = start_worker()
        run_behind(app, worker, folder)
        assert (handle.state(), journal.begins) == (State.CANCELLED, [])
        assert not is_shown_as_failed(handle.id)

    def test_a_failed_job_is_retried_where_it_failed_and_restarted_from_the_beginning(
        self, app: App, start_worker: StartWorker, journal: Journal, folder: str
    ) -> None:
        handle = enqueue(app, "fail_halfway", folder)
        worker = start_worker()
        with pytest.raises(JobFailedError, match="no luck"):
            handle.result(timeout=DEADLINE)
        assert (handle.info().step, handle.info().cursor) == ("copy", HELD_AT)
        handle.retry()
        assert result(handle, worker) == ROWS
        assert journal.rows == list(range(ROWS))
        handle.restart()
        worker.until(lambda: len(journal.begins) == 3, "the new execution")
        assert result(handle, worker) == ROWS
        assert journal.rows == [*range(ROWS), *range(ROWS)]

    def test_a_failed_job_that_is_discarded_is_forgotten(
        self, app: App, start_worker: StartWorker, journal: Journal, folder: str
    ) -> None:
        handle = enqueue(app, "fail_halfway", folder)
        worker = start_worker()
        with pytest.raises(JobFailedError, match="no luck"):
            handle.result(timeout=DEADLINE)
        assert handle.discard().state is State.FAILED
        run_behind(app, worker, folder)
        with pytest.raises(JobNotFoundError):
            handle.info()
        assert len(journal.begins) == 1

    def test_a_running_job_is_restarted_and_its_old_execution_stops(
        self, app: App, start_worker: StartWorker, journal: Journal, folder: str
    ) -> None:
        handle = enqueue(app, "copy_rows", folder)
        worker = start_worker()
        await_hold(journal, worker)
        handle.restart()
        worker.until(lambda: len(journal.begins) == 2, "the new execution")
        journal.release()
        assert result(handle, worker) == ROWS
        assert journal.rows == [*range(HELD_AT), *range(ROWS)]
        assert not journal.runs_overlap

    # --- order and time

    def test_jobs_of_a_higher_priority_run_first(
        self, app: App, start_worker: StartWorker, journal: Journal, folder: str
    ) -> None:
        if not app.queue.supports_priority:
            pytest.skip("this queue has no priorities")
        job = job_of(app, "note_that_it_ran")
        handles = [
            job.using(priority=priority).enqueue(folder, str(priority)) for priority in (0, 9, 3)
        ]
        worker = start_worker()
        assert [result(handle, worker) for handle in handles] == ["0", "9", "3"]
        assert journal.rows == [9, 3, 0]

    def test_a_delayed_job_starts_when_its_time_has_come(
        self, app: App, start_worker: StartWorker, journal: Journal, folder: str
    ) -> None:
        if not app.queue.supports_delay:
            pytest.skip("this queue cannot delay jobs")
        enqueued_at = time.monotonic()
        handle = job_of(app, "note_that_it_ran").using(wait=WAIT).enqueue(folder, "ran")
        assert result(handle, start_worker()) == "ran"
        assert journal.begins[0].at - enqueued_at >= WAIT


def run_behind(app: App, worker: Worker, folder: str) -> None:
    """Have `worker` run another job: it is then through with all messages before that one."""
    behind = enqueue(app, "note_that_it_ran", str(folder_of(Path(folder), "behind")), "ran")
    assert result(behind, worker) == "ran"


def first_message(handle: Handle[Any]) -> JobRecord:
    """The message that the job was enqueued with."""
    info = handle.info()
    return JobRecord(id=info.id, name=info.name, arguments=info.arguments)
