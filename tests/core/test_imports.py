"""What an import costs its user: the core alone, and nothing that is started."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import continuable

PACKAGE = Path(continuable.__file__).parent
CORE = [
    "attention",
    "callables",
    "checkpoints",
    "connections",
    "continuation",
    "cursor",
    "emission",
    "errors",
    "eventlog",
    "events",
    "eventstream",
    "execution",
    "interrupt",
    "iteration",
    "job",
    "naming",
    "options",
    "outcome",
    "record",
    "saver",
    "states",
    "step",
    "transaction",
    "validation",
]
REST = ["app", "cli", "definition", "demo", "direct", "handle", "progress", "queues", "testing"]


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


def module_of(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path) for path in PACKAGE.rglob("*.py")}


def runtime_imports(path):
    """The modules that a module imports when it is imported."""
    found = set()
    body = list(ast.parse(path.read_text()).body)
    for node in body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= inner & MODULES or {node.module}
        elif isinstance(node, ast.If) and "TYPE_CHECKING" not in ast.unparse(node.test):
            body += node.body
    return {name for name in found if name.startswith("continuable")}


def test_imports_run_one_way():
    graph = {module_of(path): runtime_imports(path) for path in PACKAGE.rglob("*.py")}
    del graph["continuable"]  # only gives the names out
    TopologicalSorter(graph).prepare()  # CycleError names the circle


@pytest.mark.parametrize("name", CORE)
def test_the_core_knows_nothing_of_what_stands_on_it(name):
    above = tuple(f"continuable.{room}" for room in REST)
    below = runtime_imports(PACKAGE / f"{name}.py")
    assert not [module for module in below if module.startswith(above)]
    assert "continuable" not in below


@pytest.mark.parametrize("name", CORE)
def test_the_core_needs_no_third_party(name):
    tree = ast.parse((PACKAGE / f"{name}.py").read_text())
    tops = {
        (alias.name if isinstance(node, ast.Import) else node.module).partition(".")[0]
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert tops <= {*sys.stdlib_module_names, "continuable"}
