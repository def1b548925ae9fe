"""Jobs in a Django project, with `manage.py procrastinate worker`."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from continuable.conformance.workers import Worker
from tests.waiting import until

PROJECT = Path(__file__).parent / "django_project"
ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.slow


class Project:
    """The project in a folder of its own, with a database that is migrated."""

    def __init__(self, folder, server):
        self.folder = folder
        self.server = server
        self.database = f"shop_{uuid4().hex}"
        self.workers = []
        place = server.create(self.database).replace("+psycopg", "")
        self.environment = {
            "SHOP_DATABASE": place,
            "PYTHONPATH": str(ROOT / "src"),
            "DJANGO_SETTINGS_MODULE": "shop.settings",
        }
        shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns("__pycache__"))

    def manage(self, *arguments, **environment):
        """Run a command; how it ended, and what it wrote."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=self.folder,
            env={**os.environ, **self.environment, **environment},
            check=False,
            capture_output=True,
            text=True,
        )

    def shell(self, code):
        """Run Python code in the project; the last word that it printed."""
        ran = self.manage("shell", "--no-imports", "-c", code)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout.split()[-1]

    def enqueue(self, job, *arguments):
        """The id of a job that is enqueued as a view would."""
        module, _, name = job.rpartition(".")
        return self.shell(f"from {module} import {name}; print({name}.enqueue(*{arguments!r}).id)")

    def work(self, *options, **environment):
        """Start a worker."""
        often = ["--fetch-job-polling-interval", "0.1"]
        command = [sys.executable, "manage.py", "procrastinate", "worker", *often, *options]
        log = self.folder / f"worker-{len(self.workers) + 1}.log"
        environment = {**self.environment, **environment}
        self.workers.append(Worker(command, environment, log, folder=self.folder))
        return self.workers[-1]

    def query(self, sql):
        with self.server.connected(self.database) as connection:
            return connection.execute(sql).fetchall()

    def orders(self):
        return [number for (number,) in self.query("SELECT number FROM shop_order ORDER BY number")]

    def result(self, job_id):
        """What the job has returned, as JSON, in the store of Django's."""
        sql = f"SELECT state, result FROM continuable_progress WHERE id = '{job_id}'"
        ((state, result),) = self.query(sql)
        return result if state == "completed" else None


@pytest.fixture
def project(tmp_path, postgresql_server):
    project = Project(tmp_path / "project", postgresql_server)
    migrated = project.manage("migrate")
    assert migrated.returncode == 0, migrated.stderr
    yield project
    for worker in project.workers:
        worker.end()


@pytest.mark.parametrize("job", ["import_orders", "aimport_orders"])
def test_a_job_of_tasks_py_outlives_a_kill_and_a_stop_of_its_worker(project, tmp_path, job):
    job_id = project.enqueue(f"shop.tasks.{job}", str(tmp_path), 9)
    first = project.work()
    first.until(lambda: project.orders()[-1:] == [2], "three rows")
    saved = "SELECT progress::json -> 'current' ->> 1 FROM continuable_progress"
    first.until(lambda: project.query(saved) == [("3",)], "the save of the third row")
    first.signal_main(signal.SIGKILL)
    first.wait()
    second = project.work()
    second.until(lambda: project.orders()[-1:] == [5], "six rows")
    second.signal_main(signal.SIGTERM)
    assert second.wait() == 0, second.log
    Path(tmp_path, "go").touch()
    third = project.work()
    third.until(lambda: project.result(job_id) == "3", "the end of the job")
    assert project.orders() == list(range(9))
    third.until(
        lambda: project.query("SELECT status::text FROM procrastinate_jobs") == [("succeeded",)],
        "the end of the row",
    )


def test_a_job_that_only_the_worker_imports_runs(project):
    job_id = project.enqueue("shop.late.late")
    worker = project.work("--one-shot")
    assert worker.wait() == 0, worker.log
    assert project.result(job_id) == '"late"'


def test_a_project_that_lacks_the_tables_of_progress_is_told_which_app_to_install(project):
    without = {"SHOP_WITHOUT": "continuable.django"}
    code = "from shop.late import late; late.enqueue()"
    ran = project.manage("shell", "--no-imports", "-c", code, **without)
    assert 'Add "continuable.django" to INSTALLED_APPS' in ran.stderr.splitlines()[-1]
    worker = project.work(**without)
    assert worker.wait() != 0
    until(lambda: 'Add "continuable.django"' in worker.log, "the same from a worker")
