"""What an import costs its user: the core alone, and nothing that is started."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import continuable

PACKAGE = Path(continuable.__file__).parent
CORE = ("errors.py", "core/*.py", "events/*.py", "model/*.py", "serialization/*.py")


def python(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


def imported_by(code):
    """The modules that `code` imports and that a bare Python has not."""
    return python(
        f"import sys; before = set(sys.modules)\n{code}\n"
        f"print(*(name for name in sys.modules if name not in before))"
    )


def test_importing_the_package_brings_the_standard_library_and_its_core():
    modules = imported_by("import continuable")
    tops = {name.partition(".")[0] for name in modules}
    assert tops - set(sys.stdlib_module_names) == {"continuable"}
    for room in ("queues", "testing", "cli", "web", "demo", "progress", "sources", "conformance"):
        assert f"continuable.{room}" not in modules


@pytest.mark.parametrize("module", ["asyncio", "sqlite3", "random", "uuid", "decimal", "pathlib"])
def test_what_only_some_need_is_not_imported_for_all(module):
    # Each would add milliseconds to the start of every process that merely enqueues.
    assert module not in imported_by("import continuable; continuable.App().job")


def test_a_worker_that_runs_the_jobs_of_the_suite_needs_no_pytest():
    assert "pytest" not in imported_by("import continuable.conformance.jobs")


def test_importing_the_package_starts_no_thread_and_opens_no_file(tmp_path):
    code = (
        f"import os, threading; os.chdir({str(tmp_path)!r})\n"
        "import continuable\n"
        "app = continuable.App()\n"
        "app.job(name='work')(lambda job: job.step(lambda: 1, name='a'))()\n"
        "print(threading.active_count(), *os.listdir())"
    )
    assert python(code) == ["1"]


def test_a_direct_call_needs_no_queue_either():
    modules = imported_by(
        "import continuable\n"
        "app = continuable.App()\n"
        "app.job(name='work')(lambda job: job.step(lambda s: s.set(1), name='a'))()"
    )
    assert not [name for name in modules if name.startswith("continuable.queues")]


def test_all_public_names_are_there():
    assert sorted(continuable.__all__) == continuable.__all__
    assert all(hasattr(continuable, name) for name in continuable.__all__)


@pytest.mark.parametrize(
    "path",
    [path for pattern in CORE for path in sorted(PACKAGE.glob(pattern))],
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_the_core_needs_no_third_party(path):
    tree = ast.parse(path.read_text())
    tops = {
        (alias.name if isinstance(node, ast.Import) else node.module).partition(".")[0]
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert tops <= {*sys.stdlib_module_names, "continuable"}
