"""A Django project in a folder of its own, with a database of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

PROJECT = Path(__file__).parent / "project"
ROOT = Path(__file__).parents[2]


class Project:
    """Its commands, each run in a process of its own."""

    def __init__(self, folder, place):
        self._folder = folder
        self._environment = {"SHOP_DATABASE": place, "PYTHONPATH": str(ROOT / "src")}

    def run(self, *command, **environment):
        """How a command ended, and what it wrote."""
        return subprocess.run(
            [sys.executable, "-W", "error", *command],
            cwd=self._folder,
            env={**os.environ, **self._environment, **environment},
            check=False,
            capture_output=True,
            text=True,
        )

    def manage(self, *words, **environment):
        """What a command of `manage.py` wrote that went well."""
        ran = self.run("manage.py", *words, **environment)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout + ran.stderr


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def place(request, tmp_path):
    """The url of a database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'shop.db'}"
    server = request.getfixturevalue("postgresql_server")
    return server.create(f"shop_{uuid4().hex[:12]}").replace("+psycopg", "")


@pytest.fixture
def project(place, tmp_path):
    folder = tmp_path / "project"
    shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return Project(folder, place)
