"""The registry of jobs: their names, their options, and who hears of them."""

import subprocess
import sys
from pathlib import Path

import pytest

from continuable import App
from continuable.core.options import exponential_backoff
from continuable.declaration.handle import Handle
from continuable.events import JobCompleted, JobStarted
from continuable.testing import TestQueue


def at_the_top_of_a_module(job): ...


def test_a_job_is_named_by_its_module_and_its_own_name(app):
    assert app.job(at_the_top_of_a_module).name == f"{__name__}.at_the_top_of_a_module"


def test_a_name_of_its_own_wins(app):
    job = app.job(name="billing.charge")(at_the_top_of_a_module)
    assert job.name == "billing.charge"
    assert app.jobs == {"billing.charge": job}


def test_a_job_of_a_script_is_named_by_its_file(tmp_path):
    script = tmp_path / "nightly.py"
    script.write_text(
        "from continuable import App\n"
        "app = App()\n"
        "@app.job\n"
        "def work(job): ...\n"
        "print(__name__, work.name)\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["__main__", "nightly.work"]
    by_worker = "import nightly; print(list(nightly.app.jobs))"
    done = subprocess.run(
        [sys.executable, "-c", by_worker], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "['nightly.work']" in done.stdout


def test_jobs_are_found_by_name_and_only_read(app):
    job = app.job(at_the_top_of_a_module)
    assert list(app.jobs.values()) == [job]
    with pytest.raises(TypeError):
        app.jobs["other"] = job


def test_a_name_stands_for_one_job(app):
    @app.job(name="work")
    def one(job): ...

    with pytest.raises(ValueError, match="A job named 'work' is registered already"):

        @app.job(name="work")
        def two(job): ...

    assert app.jobs == {"work": one}


def test_a_module_may_be_imported_twice(app):
    # As a script, and by the worker's import of it.
    first, second = app.job(at_the_top_of_a_module), app.job(at_the_top_of_a_module)
    assert first is not second
    assert app.jobs[first.name] is second


def test_an_option_that_there_is_not_is_named_with_those_there_are(app):
    with pytest.raises(TypeError, match=r"No such option of a job: retries\. There are .*retry"):
        app.job(retries=3)(at_the_top_of_a_module)
    with pytest.raises(TypeError, match="No such option of a job: retries"):
        App(queue=TestQueue(), defaults={"retries": 3})


def test_a_key_of_resume_options_that_there_is_not_is_named(app):
    with pytest.raises(TypeError, match=r"resume_options: delay\. There are wait \(seconds\)"):
        app.job(resume_options={"delay": 3})(at_the_top_of_a_module)


@pytest.mark.parametrize(
    ("option", "error"),
    [
        ({"max_resumptions": -1}, ValueError),
        ({"max_runtime": -0.5}, ValueError),
        ({"save_every": "1s"}, TypeError),
        ({"max_retries": True}, TypeError),
        ({"retry_wait": -1}, ValueError),
        ({"max_deaths": 0}, ValueError),
        ({"resume_options": {"wait": -1}}, ValueError),
        ({"removed_steps": "old"}, TypeError),
    ],
)
def test_an_option_that_cannot_be_meant_is_refused_where_it_is_given(app, option, error):
    with pytest.raises(error, match=next(iter(option))):
        app.job(**option)(at_the_top_of_a_module)
    assert not app.jobs


def test_the_defaults_of_a_job(app):
    options = app.job(at_the_top_of_a_module).options
    assert (options.queue, options.priority) == (None, 0)
    assert (options.max_resumptions, options.max_runtime, options.max_retries) == (None, None, 0)
    assert options.resume_options == {"wait": 5.0}
    assert options.resume_errors_after_advancing is True
    assert options.save_every == 1.0
    assert options.retry_wait is exponential_backoff


def test_defaults_of_the_app_hold_for_all_its_jobs_and_a_jobs_own_win():
    app = App(queue=TestQueue(), defaults={"max_resumptions": 50, "queue": "imports"})
    assert app.job(at_the_top_of_a_module).options.max_resumptions == 50
    own = app.job(name="own", max_resumptions=3, priority=2)(at_the_top_of_a_module).options
    assert (own.max_resumptions, own.queue, own.priority) == (3, "imports", 2)


def test_a_job_may_have_no_limit_where_the_apps_default_is_one():
    app = App(queue=TestQueue(), defaults={"max_resumptions": 50, "max_runtime": 60, "queue": "q"})
    own = app.job(max_resumptions=None, max_runtime=None, queue=None)(at_the_top_of_a_module)
    assert (own.options.max_resumptions, own.options.max_runtime, own.options.queue) == (
        None,
        None,
        None,
    )


def test_the_wait_between_retries_doubles_with_some_jitter():
    waits = [exponential_backoff(failures) for failures in range(1, 8)]
    assert all(0.75 * 2**n <= wait <= 1.25 * 2**n for n, wait in enumerate(waits, start=1))
    assert exponential_backoff(10_000) <= 3600 * 1.25


@pytest.mark.parametrize(
    ("options", "waits"),
    [
        ({}, [None]),
        ({"max_retries": 2, "retry_wait": 7}, [7, 7, None]),
        ({"max_retries": 2, "retry_wait": lambda failures: failures * 10}, [10, 20, None]),
    ],
)
def test_a_failure_is_retried_so_often_and_after_that_wait(app, options, waits):
    own = app.job(**options)(at_the_top_of_a_module).options
    assert [own.retry_after(n) for n in range(1, len(waits) + 1)] == waits


def test_a_subscriber_gets_all_events_or_those_of_a_kind(app):
    everything, ends = [], []
    app.subscribe(everything.append)
    app.subscribe(ends.append, JobCompleted)

    @app.job
    def work(job): ...

    work()
    assert [type(event) for event in everything] == [JobStarted, JobCompleted]
    assert [type(event) for event in ends] == [JobCompleted]


def test_a_handle_is_had_by_id(app):
    assert isinstance(app.handle("import-42"), Handle)
    assert app.handle("import-42").id == "import-42"


def test_no_file_is_made_before_the_queue_is_used(tmp_path):
    app = App(f"sqlite:///{tmp_path}/jobs.db")
    app.job(at_the_top_of_a_module)()
    assert repr(app) == f"<App of 1 jobs on sqlite:///{tmp_path}/jobs.db>"
    assert list(Path(tmp_path).iterdir()) == []


def test_an_app_tells_what_it_is(app):
    app.job(at_the_top_of_a_module)
    assert repr(app) == "<App of 1 jobs on <TestQueue: 0 enqueued>>"


def test_a_static_method_may_be_a_job(app):
    class Import:
        @staticmethod
        def records(job, number):
            return number

    job = app.job(Import.records)
    assert job(3) == 3
    assert job.name.endswith("Import.records")
