"""`worker` in real processes, with real signals."""

import os
import re
import signal
from pathlib import Path

import pytest

from continuable.cli.reading.loading import load_app
from continuable.cli.worker import command_line, names_of
from continuable.model.states import State
from continuable.queues.embedded.worker import WorkerOptions
from tests.cli.conftest import rows, sentence
from tests.cli.process import process
from tests.waiting import until


@pytest.fixture
def deaf(jobs):
    """An app whose job comes to no checkpoint once it has begun."""
    return jobs(
        """
        import time
        from pathlib import Path

        @app.job
        def deaf(job):
            job.step(lambda: None, name="before")

            @job.step
            def listen():
                Path("deaf").touch()
                time.sleep(60)
        """
    )


def states(table):
    return {job.id: job.state.value for job in table.list()}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_hands_the_job_back_and_the_next_worker_resumes_it(call, walk, table, number):
    call("enqueue", walk, "walk", "--id", "x")
    with process("worker", walk) as worker:
        until(lambda: len(rows()) > 10, "rows are written")
        assert worker.stop(number) == 0
        log = worker.stderr
    written = len(rows())
    job = table.find("x")
    assert (job.state, job.reason, job.cursor) == (State.INTERRUPTED, "stopping", written)
    assert f"walk[x] interrupted (stopping) at 'write', cursor {written}" in log
    assert re.search(r"Worker \S+ stops; its jobs have 30 s\n", log)
    Path("hurry").touch()
    with process("worker", walk, "--drain") as worker:
        assert worker.wait() == 0
        assert f"walk[x] resumed at 'write', cursor {written}" in worker.stderr
    assert rows() == list(range(1000))
    assert states(table) == {"x": "completed"}


def test_a_killed_workers_job_is_resumed_from_what_was_saved(call, walk, table):
    call("enqueue", walk, "walk", "--id", "x")
    with process("worker", walk) as worker:
        until(lambda: table.find("x").done > 10, "progress is saved")
        worker.stop(signal.SIGKILL)
    Path("hurry").touch()
    with process("worker", walk, "--drain") as worker:
        assert worker.wait() == 0
    assert sorted(set(rows())) == list(range(1000))
    assert table.find("x").executions == 2


def test_the_end_of_the_grace_is_the_end(call, deaf, table):
    call("enqueue", deaf, "deaf", "--id", "x")
    with process("worker", deaf, "--grace", "100ms") as worker:
        until(Path("deaf").exists, "the job is deaf")
        assert worker.stop(signal.SIGTERM) == 1
        assert "its jobs have 0.1 s" in worker.stderr
        assert "Job x was not handed back in time: at 'listen'" in worker.stderr


def test_a_second_signal_does_not_wait_for_the_grace(call, deaf, table):
    call("enqueue", deaf, "deaf", "--id", "x")
    with process("worker", deaf, CONTINUABLE_WORKER_GRACE="1h") as worker:
        until(Path("deaf").exists, "the job is deaf")
        worker.send(signal.SIGTERM)
        worker.await_text("its jobs have 3600 s")
        assert worker.stop(signal.SIGTERM) == 1


def test_only_the_queues_that_are_named_are_worked_on(call, jobs, table):
    app = jobs("@app.job\ndef one(job): ...")
    for queue in ("imports", "mail", "other"):
        call("enqueue", app, "one", "--id", queue, "--queue", queue)
    with process("worker", app, "-Q", "imports, mail", "--drain") as worker:
        assert worker.wait() == 0
    assert states(table) == {"imports": "completed", "mail": "completed", "other": "waiting"}


def test_threads_work_side_by_side(call, jobs, table):
    app = jobs(
        """
        import threading

        meeting = threading.Barrier(3, timeout=20)

        @app.job
        def meet(job):
            meeting.wait()
        """
    )
    for number in range(3):
        call("enqueue", app, "meet", "--id", number)
    with process("worker", app, "-c", "3", "--drain") as worker:
        assert worker.wait() == 0
    assert set(states(table).values()) == {"completed"}


@pytest.mark.slow
@pytest.mark.sample
def test_processes_work_side_by_side_and_are_replaced_when_they_die(call, jobs, table):
    app = jobs(
        """
        import os
        import time
        from pathlib import Path

        @app.job(resume_options={"wait": 0.0})
        def meet(job):
            @job.step(start=0)
            def wait(step):
                Path(f"{job.id}-{job.executions}").write_text(str(os.getpid()))
                while not Path("go").exists():
                    step.checkpoint()
                    time.sleep(0.01)
        """
    )
    for number in "ab":
        call("enqueue", app, "meet", "--id", number)
    with process("worker", app, "-p", "2") as worker:
        first = until(lambda: read("a-1") and read("b-1") and (read("a-1"), read("b-1")), "work")
        assert len({*first, str(worker.pid)}) == 3
        os.kill(int(first[0]), signal.SIGKILL)
        assert until(lambda: read("a-2"), "the job of the dead process is resumed") != first[0]
        worker.await_text(f"Worker process {first[0]} ended (exit code -9) and is replaced")
        assert worker.stop(signal.SIGTERM) == 0
    assert states(table) == {"a": "interrupted", "b": "interrupted"}


def read(name):
    path = Path(name)
    return path.read_text() if path.exists() else ""


@pytest.mark.slow
def test_several_processes_drain_the_queue_together(call, add, table):
    for number in range(20):
        call("enqueue", add, "add", number)
    with process("worker", add, "-p", "2", "-c", "2", "--drain") as worker:
        assert worker.wait() == 0
    assert table.counts() == {State.COMPLETED: 20}


def test_a_failed_job_does_not_stop_the_worker(call, jobs, table):
    app = jobs("@app.job\ndef fail(job): 1 / 0\n@app.job\ndef work(job): ...")
    call("enqueue", app, "fail", "--id", "x")
    call("enqueue", app, "work", "--id", "y")
    with process("worker", app, "--drain") as worker:
        assert worker.wait() == 0
        assert "fail[x] failed" in worker.stderr
    assert states(table) == {"x": "failed", "y": "completed"}


def test_a_job_whose_code_is_gone_stays_on_the_queue(call, add, jobs, table):
    call("enqueue", add, "add", "1", "--id", "x")
    app = jobs("@app.job\ndef other(job): ...")
    name = add.replace(":app", ".add")
    call("enqueue", app, "other", "--id", "y")
    with process("worker", app) as worker:
        until(lambda: states(table)["y"] == "completed", "the job that it knows")
        told = call("check", app).output
        assert f"Jobs named '{name}' wait, and no worker that is alive has their code" in told
        assert worker.stop(signal.SIGTERM) == 0
    job = table.find("x")
    assert (job.state, job.executions, job.resumptions) == (State.WAITING, 0, 0)
    table.discard("y")
    with process("worker", add) as worker:
        until(lambda: states(table) == {"x": "completed"}, "the job is done")
        worker.stop(signal.SIGTERM)


def test_an_app_that_fails_to_import_leaves_its_jobs_on_the_queue(call, add, table, folder):
    call("enqueue", add, "add", "1", "--id", "x")
    with (folder / f"{add.removesuffix(':app')}.py").open("a") as file:
        file.write("\nraise ValueError('no')\n")
    for processes in ("1", "2"):
        with process("worker", add, "-p", processes) as worker:
            assert worker.wait() == 1
            (line,) = worker.stderr.splitlines()
            assert line.endswith(
                "ValueError: no. Mend it and try again; its jobs stay in the queue"
            )
    assert states(table) == {"x": "waiting"}


def test_the_log_is_as_quiet_as_one_wants(call, add):
    call("enqueue", add, "add", "1", "--id", "x")
    with process("worker", add, "--drain", "--log-level", "warning") as worker:
        assert (worker.wait(), worker.stderr) == (0, "")
    call("restart", add, "x")
    with process("worker", add, "--drain", CONTINUABLE_WORKER_LOG_LEVEL="debug") as worker:
        assert worker.wait() == 0
        line = next(line for line in worker.stderr.splitlines() if "add[x] started" in line)
    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} INFO    add\[x\] started", line)


# --- what a worker cannot work for


@pytest.mark.usefixtures("quiet_log")
def test_an_app_without_jobs_is_wrong_usage(call, jobs):
    told = sentence(call("worker", jobs("")), 2)
    assert told == "The app has no jobs: name the app in the module with its jobs"


@pytest.mark.usefixtures("quiet_log")
def test_an_app_on_another_queue_has_another_worker(call, elsewhere):
    assert sentence(call("worker", elsewhere), 2) == (
        "The app is on TestQueue, and `worker` is for the embedded queue: "
        "use that engine's own command"
    )


@pytest.mark.usefixtures("quiet_log")
def test_a_database_is_no_app_to_work_for(call, add):
    call("enqueue", add, "add", "1")
    told = sentence(call("worker", "sqlite:///jobs.db"), 2)
    assert told == "The app has no jobs: name the app in the module with its jobs"


def test_queues_without_a_name_are_wrong_usage(call, add, quiet_log):
    told = sentence(call("worker", add, "-Q", " , "), 2)
    assert told == "-Q takes the names of queues: -Q imports,mail"


def test_two_apps_are_one_too_many(call, add):
    assert sentence(call("worker", add, "x:y"), 2).startswith("Only one app at a time")


# --- the parts


def test_names_of_queues_are_separated_by_commas():
    assert names_of(None) is None
    assert names_of("a") == ("a",)
    assert names_of(" a, b,,c ") == ("a", "b", "c")


def test_the_command_of_one_process_says_everything(add, monkeypatch):
    options = WorkerOptions(queues=("a", "b"), threads=3, grace=0.05, drain=True)
    line = command_line(add, options, "debug")
    assert line[3:] == [
        *("worker", add, "--supervised", "-p", "1", "-c", "3", "--grace", "0.050000"),
        *("--log-level", "debug", "-Q", "a,b", "--drain"),
    ]
    assert load_app(line[4]).jobs
