"""`manage.py continuable`, and the plain command in a Django project."""

import json

import pytest

SETTINGS = {"DJANGO_SETTINGS_MODULE": "shop.settings"}


@pytest.fixture
def place(tmp_path):
    return f"sqlite:///{tmp_path / 'shop.db'}"


@pytest.fixture
def migrated(project):
    project.manage("migrate")
    return project


def test_the_verbs_are_those_of_the_command_line(migrated):
    job_id = migrated.manage("continuable", "enqueue", "shop.jobs.import_plainly", "3").strip()
    (job,) = json.loads(migrated.manage("continuable", "list", "--json"))
    assert (job["id"], job["state"]) == (job_id, "completed")
    assert "process" in migrated.manage("continuable", "show", job_id)
    assert "completed" in migrated.manage("continuable", "show", "shop.jobs:app", job_id)


def test_options_and_help_are_those_of_the_verb(project):
    assert "manage.py continuable [OPTIONS] COMMAND" in project.manage("continuable", "--help")
    assert "--state" in project.manage("continuable", "list", "--help")


def test_exit_codes_are_those_of_the_command_line(migrated):
    ran = migrated.run("manage.py", "continuable", "show", "nobody")
    assert (ran.returncode, "No job 'nobody'" in ran.stderr) == (3, True)


def test_a_command_may_be_called_from_code(migrated):
    code = "from django.core.management import call_command as c; c('continuable', 'list')"
    assert "No jobs" in migrated.manage("shell", "--no-imports", "-c", code)


def test_the_plain_command_sets_django_up_and_finds_the_jobs_of_its_apps(migrated):
    ran = migrated.run("-m", "continuable", "check", "shop.jobs:app", "--json", **SETTINGS)
    findings = {finding["subject"]: finding for finding in json.loads(ran.stdout)}
    assert findings["store"]["level"] == "ok", ran.stdout
    assert findings["app"]["level"] == "ok"


def test_settings_that_cannot_be_imported_are_a_sentence(project):
    ran = project.run(
        "-m", "continuable", "list", "shop.jobs:app", DJANGO_SETTINGS_MODULE="shop.setings"
    )
    assert ran.returncode == 1
    assert ran.stderr.startswith("Error: The module 'shop.setings' cannot be imported")
    assert "Traceback" not in ran.stderr
