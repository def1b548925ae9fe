import sys

import pytest

from continuable.cli.failures import Failure
from continuable.cli.reading.modules import imported


def refusal(name, exit_code):
    with pytest.raises(Failure) as failure:
        imported(name)
    assert failure.value.exit_code == exit_code
    return failure.value.message


def test_a_module_of_the_current_folder_is_found_though_it_is_not_on_the_path(write):
    module = write("here = True")
    sys.path[:] = [entry for entry in sys.path if entry]
    assert imported(module).here


def test_a_file_in_a_package_is_imported_under_its_full_name(folder):
    package = folder / "src" / "shop_of_test" / "jobs"
    package.mkdir(parents=True)
    for parent in (package, package.parent):
        (parent / "__init__.py").touch()
    (package / "mail.py").write_text("from shop_of_test import jobs")
    assert imported("src/shop_of_test/jobs/mail.py").__name__ == "shop_of_test.jobs.mail"
    assert imported("src/shop_of_test/jobs/__init__.py").__name__ == "shop_of_test.jobs"


def test_a_missing_module_says_where_it_was_looked_for(folder):
    assert refusal("missing_of_test", 2) == (
        f"There is no module 'missing_of_test' in {folder} or on the Python path: "
        f"check its name, or go to its folder"
    )
    assert "no module 'shop_of_test.missing'" in refusal("shop_of_test.missing", 2)


def test_a_mistyped_module_gets_a_suggestion(write):
    module = write("")
    assert f"did you mean {module!r}?" in refusal(module.replace("jobs", "jbos"), 2)


def test_a_missing_file_is_told(folder):
    assert refusal("src/jobs.py", 2) == (
        f"There is no file {folder}/src/jobs.py: check the path to the app's module"
    )


@pytest.mark.parametrize("name", ["", ".jobs", "..", "a..b"])
def test_what_cannot_be_the_name_of_a_module_is_wrong_usage(name):
    assert f"{name!r} is no name of a module: write jobs:app or jobs.py:app" in refusal(name, 2)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import not_there", "line 1: ModuleNotFoundError: No module named 'not_there'"),
        ("x = 1\nraise ValueError('no')", "line 2: ValueError: no"),
        ("def f(:", "line 1: SyntaxError: invalid syntax"),
        ("from os import nothing", "line 1: ImportError: cannot import name 'nothing' from 'os'"),
        ("\n\nimport sys\nsys.exit(3)", "line 4: it ends the process (SystemExit: 3); guard that"),
        ("import json\njson.loads('')", "line 2: json.decoder.JSONDecodeError: Expecting value"),
    ],
)
def test_a_module_that_fails_to_import_says_where_and_that_its_jobs_stay(write, source, reason):
    module = write(source)
    told = refusal(module, 1)
    assert told.startswith(f"The module {module!r} cannot be imported: {module}.py, {reason}")
    assert told.endswith("Mend it and try again; its jobs stay in the queue")


def test_a_missing_module_that_the_app_imports_is_not_taken_for_the_app(write):
    module = write("import missing_of_test.deep")
    assert "No module named 'missing_of_test'" in refusal(module, 1)


def test_the_place_is_that_of_the_users_code_where_a_library_raises(write, folder):
    library = folder / ".venv" / "site-packages"
    library.mkdir(parents=True)
    (library / "library_of_test.py").write_text("def fail(): raise ValueError('no')")
    sys.path.append(str(library))
    module = write("import library_of_test\nlibrary_of_test.fail()")
    assert f"{module}.py, line 2: ValueError: no" in refusal(module, 1)


def test_a_file_that_python_has_another_module_for_is_refused(folder):
    (folder / "json.py").touch()
    told = refusal("json.py", 2)
    assert told.startswith("json.py cannot be imported, for Python has another module named 'json'")
    assert told.endswith("rename the file")


def test_ctrl_c_while_a_module_is_imported_is_passed_on(write):
    with pytest.raises(KeyboardInterrupt):
        imported(write("raise KeyboardInterrupt"))
