"""`manage.py check` in a project whose settings lack something."""

import pytest


@pytest.fixture
def place(tmp_path):
    return f"sqlite:///{tmp_path / 'shop.db'}"


def test_a_project_in_order_has_no_findings(project):
    project.manage("migrate")
    assert "no issues" in project.manage("check", "--database", "default")


@pytest.mark.parametrize(
    ("app", "why"),
    [
        ("shop.nowhere:app", "No module named 'shop.nowhere'"),
        ("shop.jobs:ap", "has no attribute 'ap'"),
        ("shop.jobs:celery_app", "names no App, but <Celery shop"),
    ],
)
def test_a_setting_that_names_no_app_is_an_error(project, app, why):
    ran = project.run("manage.py", "check", SHOP_APP=app)
    assert ran.returncode == 1
    assert f"(continuable.E001) CONTINUABLE_APP = {app!r}" in ran.stderr
    assert why in ran.stderr


def test_tables_that_are_not_migrated_are_found(project):
    said = project.manage("check", "--database", "default")
    assert "(continuable.W001) There is no table 'continuable_progress'" in said
    assert "manage.py migrate --database default" in said


COUNT = """
from django.contrib import admin
from continuable.django.models import Progress
from shop import jobs
jobs.import_plainly.enqueue(3)
print("listed:", admin.site._registry[Progress].get_queryset(None).count())
"""


def test_progress_in_another_database_is_looked_for_there(project):
    other = {"SHOP_JOBS": "yes"}
    said = project.manage("check", "--database", "jobs", **other)
    assert "There is no table 'continuable_progress' in the database 'jobs'" in said
    assert "There is no table 'continuable_progress_history'" in said
    for database in ("default", "jobs"):
        project.manage("migrate", "--database", database, **other)
    assert "no issues" in project.manage("check", "--database", "jobs", **other)
    assert "listed: 1" in project.manage("shell", "--no-imports", "-c", COUNT, **other)


def test_jobs_that_may_start_before_the_rows_of_their_view_are_found(project):
    said = project.manage("check", SHOP_ATOMIC_REQUESTS="yes", SHOP_PROGRESS="redis")
    assert "(continuable.W002) ATOMIC_REQUESTS is set" in said
    assert "no issues" in project.manage("check", SHOP_ATOMIC_REQUESTS="yes")
