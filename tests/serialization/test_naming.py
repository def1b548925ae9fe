"""The name of a module as another process imports it."""

import sys
import types
from importlib.machinery import ModuleSpec

import pytest

from continuable.serialization.naming import importable_module


@pytest.fixture
def main(monkeypatch):
    module = types.ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", module)
    return module


def test_a_module_has_its_own_name():
    assert importable_module("shop.jobs") == "shop.jobs"


def test_a_script_is_named_by_its_file(main):
    main.__file__ = "/somewhere/import_shop.py"
    assert importable_module("__main__") == "import_shop"


def test_a_module_run_by_name_keeps_it(main):
    main.__spec__ = ModuleSpec("shop.jobs", None)
    assert importable_module("__main__") == "shop.jobs"


def test_a_package_run_by_name_is_its_main_module(main):
    main.__spec__ = ModuleSpec("shop.__main__", None)
    assert importable_module("__main__") == "shop.__main__"


def test_the_script_has_the_same_name_in_a_process_that_it_spawned(main):
    main.__file__ = "/somewhere/import_shop.py"
    assert importable_module("__mp_main__") == "import_shop"


def test_a_terminal_has_no_other_name(main):
    assert importable_module("__main__") == "__main__"
