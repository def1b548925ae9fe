"""Jobs in the tests of a Django project: they see its rows, and are rolled back with them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

PROJECT = Path(__file__).parent / "project"
ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def manage(request, tmp_path):
    """Runs a command of the project's `manage.py`; what it wrote."""
    folder = tmp_path / "project"
    shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns("__pycache__"))
    place = f"sqlite:///{tmp_path / 'shop.db'}"
    if request.param == "postgresql":
        place = request.getfixturevalue("postgresql_server").create(f"shop_{uuid4().hex[:12]}")
    environment = {
        "SHOP_DATABASE": place.replace("+psycopg", ""),
        "PYTHONPATH": str(ROOT / "src"),
    }

    def run(*arguments):
        ran = subprocess.run(
            [sys.executable, "-W", "error", "manage.py", *arguments],
            cwd=folder,
            env={**os.environ, **environment},
            check=False,
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stderr

    return run


def test_the_tests_of_a_project_pass(manage):
    manage("makemigrations", "shop")
    said = manage("test", "--noinput")
    assert "OK" in said
    assert "ResourceWarning" not in said
    assert "Destroying test database" in said
