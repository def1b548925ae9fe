import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from continuable.cli.program import program
from continuable.cli.reading.loading import load_app
from continuable.queues.embedded.liveness import WorkerLock, lock_path
from tests.cli.conftest import sentence
from tests.cli.process import COMMAND, environment


def findings(result):
    """The findings as (level, subject, sentence)."""
    return [tuple(line.split(maxsplit=2)) for line in result.stdout.splitlines()]


def found(result, subject):
    """What was found out about one subject."""
    return [(level, said) for level, about, said in findings(result) if about == subject]


@pytest.fixture
def worker(folder, table):
    """A worker that is alive, as far as its lock tells."""
    table.database.open()
    lock = WorkerLock(folder / "jobs.db", "a-worker")
    lock.acquire()
    yield
    lock.release()


def test_all_is_well(call, add, table, worker):
    call("enqueue", add, "add", "1")
    result = call("check", add)
    assert result.exit_code == 0
    assert findings(result) == [
        ("ok", "app", f"{add} has 1 job"),
        ("ok", "arguments", "Every default of a job's parameters can be kept"),
        ("ok", "store", f"{table.database.path} can be read and written"),
        ("ok", "workers", "1 worker alive: a-worker"),
        ("ok", "code", "Every unfinished job has its code here"),
        ("ok", "checkpoints", "No job was seen to go 30 s without a checkpoint"),
    ]


def test_json_has_every_finding(call, add, worker):
    call("enqueue", add, "add", "1")
    documents = json.loads(call("check", add, "--json").stdout)
    assert documents[0] == {"level": "ok", "subject": "app", "sentence": f"{add} has 1 job"}
    assert {document["level"] for document in documents} == {"ok"}
    assert len(documents) == 6


def test_levels_have_their_colours_on_a_terminal(call, add):
    call("enqueue", add, "add", "1")
    assert "\x1b[" not in call("check", add).stdout
    told = CliRunner().invoke(program, ["check", add], color=True).stdout
    assert "\x1b[32mok" in told
    assert "\x1b[31mproblem" in told


# --- the app


def test_an_app_that_cannot_be_imported_is_a_problem_with_its_exit_code(call, write):
    result = call("check", write("import missing_of_test") + ":app")
    assert result.exit_code == 1
    ((level, said),) = found(result, "app")
    assert level == "problem"
    assert "line 1: ModuleNotFoundError" in said
    assert said.endswith("Mend it and try again; its jobs stay in the queue")
    assert len(findings(result)) == 1


def test_an_app_that_is_not_there_is_a_problem_and_wrong_usage(call, add):
    result = call("check", "missing_of_test:app", "--json")
    assert result.exit_code == 2
    (document,) = json.loads(result.stdout)
    assert (document["level"], document["subject"]) == ("problem", "app")
    assert call("check", add + "s").exit_code == 2


def test_no_app_at_all_is_wrong_usage(call):
    assert sentence(call("check"), 2).startswith("Say which app")


def test_an_app_without_jobs_is_a_problem(call, jobs):
    result = call("check", jobs(""))
    assert result.exit_code == 1
    assert found(result, "app")[0][1].endswith(
        "has no jobs: name the app in the module with its jobs, or import them"
    )
    assert found(result, "arguments") == []


def test_a_name_that_another_release_may_not_know_is_a_warning(call, jobs):
    result = call(
        "check",
        jobs(
            """
            def make():
                @app.job
                def inner(job): ...

            make()
            app.job(lambda job: None)
            app.job(lambda job: None, name="named")
            """
        ),
    )
    assert result.exit_code == 0
    _, *warnings = found(result, "app")
    assert [level for level, _ in warnings] == ["warning", "warning"]
    assert "make.<locals>.inner' is called after a place inside of other code" in warnings[0][1]
    assert "<lambda>' is called after" in warnings[1][1]


def test_defaults_that_cannot_be_kept_are_warnings(call, jobs):
    result = call(
        "check",
        jobs(
            """
            import sqlite3
            from pathlib import Path

            @app.job
            def one(job, a, b=1, path=Path("x"), *, lock=object()): ...

            @app.job
            def two(job, cursor=sqlite3.Row): ...
            """
        ),
    )
    assert result.exit_code == 0
    (one, two) = found(result, "arguments")
    assert one[0] == two[0] == "warning"
    assert "The default of 'lock', a parameter of job" in one[1]
    assert "register a Serializer for the type" in one[1]
    assert "The default of 'cursor'" in two[1]


def test_a_serializer_makes_a_default_that_can_be_kept(call, write):
    module = write(
        """
        from continuable import App, Serializer

        class Money: ...

        money = Serializer(Money, "money", dump=lambda money: None, load=lambda plain: Money())
        app = App("sqlite:///jobs.db", serializers=[money])

        @app.job
        def pay(job, amount=Money()): ...
        """
    )
    assert found(call("check", f"{module}:app"), "arguments")[0][0] == "ok"


# --- the store


def test_a_missing_database_is_a_warning_and_is_not_made(call, add, folder):
    result = call("check", add)
    assert result.exit_code == 0
    ((level, said),) = found(result, "store")
    assert level == "warning"
    assert said.startswith(f"There is no job database {folder}/jobs.db yet: the first job makes it")
    assert found(result, "workers") == []
    assert not (folder / "jobs.db").exists()


def test_a_missing_folder_is_a_problem(call, write):
    module = write('from continuable import App\napp = App("sqlite:///there/jobs.db")\n')
    result = call("check", f"{module}:app")
    assert result.exit_code == 1
    ((level, said),) = found(result, "store")
    assert level == "problem"
    assert said.endswith("there: create it, or mend the url")


def test_a_database_that_is_none_is_a_problem(call, add, folder):
    (folder / "jobs.db").write_text("these are not the jobs you are looking for\n" * 100)
    result = call("check", add)
    assert result.exit_code == 1
    ((level, said),) = found(result, "store")
    assert level == "problem"
    assert "it is not an SQLite database: point the queue at another file" in said


def test_a_disk_that_takes_nothing_more_is_a_problem(call, add, folder):
    """Every write beyond a byte fails in this process, as on a full disk."""
    call("enqueue", add, "add", "1")
    code = (
        "import resource, sys;"
        "from continuable.cli import main;"
        "from continuable.cli import check;"
        "sys.argv = ['continuable', 'check', sys.argv[1]];"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1, 1));"
        "main()"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, add],
        env=environment(PYTHONDONTWRITEBYTECODE="1"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1, result.stderr
    assert "problem  store" in result.stdout
    assert "jobs.db cannot be used: " in result.stdout


def test_a_database_alone_is_checked_without_code(call, add, worker):
    call("enqueue", add, "add", "1")
    result = call("check", "sqlite:///jobs.db")
    assert result.exit_code == 0
    ((level, said),) = found(result, "app")
    assert level == "warning"
    assert said.startswith("sqlite:///jobs.db has no code: name MODULE:APP")
    assert found(result, "code") == []
    assert found(result, "store")[0][0] == "ok"


# --- the workers


def test_jobs_without_a_worker_are_a_problem(call, add):
    call("enqueue", add, "add", "1")
    result = call("check", add)
    assert result.exit_code == 1
    assert found(result, "workers") == [
        (
            "problem",
            f"No worker is alive, and 1 job needs one: `continuable worker {add}` starts one",
        )
    ]
    call("enqueue", add, "add", "1", "--in", "1h")
    assert "and 2 jobs need one" in found(call("check", "sqlite:///jobs.db"), "workers")[0][1]
    assert "worker MODULE:APP`" in found(call("check", "sqlite:///jobs.db"), "workers")[0][1]


def test_jobs_of_a_dead_worker_need_another(call, add, table):
    call("enqueue", add, "add", "1", "--id", "x")
    table.claim_job("dead", "x")
    left_behind = lock_path(table.database.path, "dead")
    left_behind.parent.mkdir(exist_ok=True)
    left_behind.touch()
    assert found(call("check", add), "workers")[0][0] == "problem"


def test_nothing_to_do_and_no_worker_is_a_warning(call, add):
    call("enqueue", add, "add", "1", "--id", "x")
    call("pause", add, "x")
    call("run", add, "add", "1", "--id", "y")
    result = call("check", add)
    assert result.exit_code == 0
    ((level, said),) = found(result, "workers")
    assert level == "warning"
    assert said.startswith("No worker is alive, and no job needs one now: `continuable worker")


# --- the jobs


@pytest.fixture
def renamed(call, jobs, add, worker):
    """An app on a queue with jobs that another app has enqueued."""
    for job_id in ("x", "y", "z"):
        call("enqueue", add, "add", "1", "--id", job_id)
    call("cancel", add, "z")
    return jobs


def test_jobs_whose_code_is_gone_are_a_problem(call, renamed, add):
    result = call("check", renamed("@app.job\ndef subtract(job): ..."))
    assert result.exit_code == 1
    name = add.replace(":app", ".add")
    ((level, said),) = found(result, "code")
    assert level == "problem"
    assert said == (
        f"No job is registered as '{name}' here, and 2 jobs of that name are not finished: "
        f"deploy the release that has it, import its module in the app's, or register what "
        f"replaces it under name='{name}'; `continuable list --job {name}` shows them"
    )


def test_one_old_job_without_code_is_found_among_any_number_of_newer_ones(
    call, renamed, monkeypatch
):
    monkeypatch.setattr("continuable.cli.health.LOOKS_AT", 1)
    app = renamed("@app.job\ndef subtract(job): ...")
    assert call("enqueue", app, "subtract").exit_code == 0
    ((level, said),) = found(call("check", app), "code")
    assert level == "problem"
    assert "1 jobs or more of that name" in said


def test_code_that_has_moved_is_recognised(call, renamed, add):
    app = renamed("@app.job\ndef add(job, a): ...")
    name = add.replace(":app", ".add")
    ((_, said),) = found(call("check", app), "code")
    assert (
        f"if '{app.replace(':app', '.add')}' is the same, register it under name='{name}'" in said
    )


def test_jobs_that_have_ended_need_no_code(call, add, jobs, worker):
    call("run", add, "add", "1")
    result = call("check", jobs("@app.job\ndef subtract(job): ..."))
    assert found(result, "code") == [("ok", "Every unfinished job has its code here")]


def test_gaps_longer_than_the_grace_are_warnings(call, jobs, table, worker):
    app = jobs("@app.job\ndef one(job, n): ...\n@app.job\ndef two(job, n): ...")
    for name, n, gap in [("one", 1, 31.0), ("one", 2, 45.25), ("two", 1, 29.0)]:
        call("run", app, name, n, "--id", f"{name}-{n}")
        with table.database.transaction() as connection:
            connection.execute(
                "UPDATE continuable_jobs SET longest_gap = ? WHERE id = ?", [gap, f"{name}-{n}"]
            )
    result = call("check", app)
    assert result.exit_code == 0
    ((level, said),) = found(result, "checkpoints")
    assert level == "warning"
    name = app.replace(":app", ".one")
    assert said.startswith(
        f"Job '{name}' went 45.2 s without a checkpoint (one-2), and a shutdown grants 30 s: "
    )
    assert "step.checkpoint()" in said
    assert found(call("check", app, "--grace", "1m"), "checkpoints")[0][0] == "ok"
    named = found(call("check", app, CONTINUABLE_CHECK_GRACE="20s"), "checkpoints")
    assert [said.split("'")[1].rpartition(".")[2] for _, said in named] == ["one", "two"]


def test_a_gap_that_a_worker_has_noticed_is_found(call, jobs, folder):
    app = jobs(
        """
        import time

        @app.job(save_every=0.0)
        def slow(job):
            @job.step(start=0)
            def walk(step):
                step.set(1)
                time.sleep(0.5)
                step.set(2)
        """
    )
    call("enqueue", app, "slow")
    subprocess.run([*COMMAND, "worker", app, "--drain"], env=environment(), check=True)
    assert found(call("check", app, "--grace", "100ms"), "checkpoints")[0][0] == "warning"
    assert found(call("check", app), "checkpoints")[0][0] == "ok"


# --- other queues


def test_another_queue_is_checked_as_far_as_its_board_tells(call, elsewhere):
    call("enqueue", elsewhere, "add", "1")
    result = call("check", elsewhere)
    assert result.exit_code == 0
    assert [(level, about) for level, about, _ in findings(result)] == [
        ("ok", "app"),
        ("ok", "arguments"),
        ("ok", "store"),
        ("ok", "code"),
        ("ok", "checkpoints"),
    ]
    assert found(result, "store") == [("ok", "TestQueue can be reached")]


def test_code_that_is_gone_is_noticed_on_another_queue(call, elsewhere):
    call("enqueue", elsewhere, "add", "1")
    app = load_app(elsewhere)
    app.registry.jobs.clear()
    result = call("check", elsewhere)
    assert result.exit_code == 1
    assert "1 job of that name is not finished" in found(result, "code")[0][1]


def test_another_queue_that_cannot_be_reached_is_a_problem(call, write):
    module = write(
        """
        from continuable import App
        from continuable.testing import TestQueue

        class Away(TestQueue):
            @property
            def board(self):
                raise ConnectionRefusedError(111, "Connection refused")

        app = App(queue=Away())

        @app.job
        def job(job): ...
        """
    )
    result = call("check", f"{module}:app")
    assert result.exit_code == 1
    ((level, said),) = found(result, "store")
    assert level == "problem"
    assert said == (
        "Away cannot be reached ([Errno 111] Connection refused): "
        "see that its server runs, and where the app looks for it"
    )
