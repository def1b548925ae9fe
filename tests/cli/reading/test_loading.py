import pytest

from continuable import App
from continuable.cli.failures import Failure
from continuable.cli.reading.loading import is_findable, load_app, parts

TWO_APPS = """
    from continuable import App

    one = App()
    other = App()
    number = 5
"""


def refusal(target):
    with pytest.raises(Failure) as failure:
        load_app(target)
    assert failure.value.exit_code == 2
    return failure.value.message


@pytest.mark.parametrize(
    ("target", "module_and_name"),
    [
        ("jobs:app", ("jobs", "app")),
        ("shop.jobs:app", ("shop.jobs", "app")),
        ("jobs:config.app", ("jobs", "config.app")),
        ("jobs.py:app", ("jobs.py", "app")),
        ("src/jobs.py:app", ("src/jobs.py", "app")),
        ("jobs", ("jobs", "")),
        ("jobs:", ("jobs", "")),
        ("src/jobs.py", ("src/jobs.py", "")),
    ],
)
def test_a_target_is_a_module_and_the_name_of_an_app_in_it(target, module_and_name):
    assert parts(target) == module_and_name


@pytest.mark.parametrize("form", ["{}:app", "{}", "{}.py", "{}.py:app", "./{}.py:app", "{}:"])
def test_an_app_is_found_by_its_module_or_its_file(jobs, form):
    module = jobs("").removesuffix(":app")
    assert isinstance(load_app(form.format(module)), App)


def test_an_app_may_be_an_attribute_of_something_else(write):
    module = write(
        """
        from continuable import App

        class Config:
            app = App()
        """
    )
    assert isinstance(load_app(f"{module}:Config.app"), App)


def test_an_app_of_two_names_is_one_app(write):
    module = write("from continuable import App\napp = App()\nalias = app\n")
    assert isinstance(load_app(module), App)


def test_of_several_apps_one_must_be_named(write):
    module = write(TWO_APPS)
    assert refusal(module) == (
        f"{module!r} has several apps, say which: {module}:one, {module}:other"
    )


def test_a_name_that_is_not_there_says_which_are(write):
    module = write(TWO_APPS)
    assert refusal(f"{module}:ap") == (
        f"{module!r} has no 'ap': there is {module}:one, {module}:other"
    )
    assert "is no App but a int: there is" in refusal(f"{module}:number")


def test_a_module_without_an_app_says_how_to_make_one(write):
    module = write("number = 5")
    assert refusal(module) == f"{module!r} has no App: add `app = App()` to it"
    assert refusal(f"{module}:app") == f"{module!r} has no 'app': add `app = App()` to it"
    assert refusal(f"{module}:number").endswith("is no App but a int: name an App")


def test_an_app_whose_url_names_no_database_is_refused(write):
    module = write('from continuable import App\napp = App("postgres://db/jobs")\n')
    assert "Write sqlite:///jobs.db" in refusal(module)


def test_a_database_is_an_app_without_code(folder, add, call):
    call("enqueue", add, "add", "1")
    app = load_app("sqlite:///jobs.db")
    assert not app.jobs
    assert len(app.queue.board.list()) == 1
    app.queue.close()


def test_a_database_that_is_not_there_is_not_made(folder):
    assert refusal("sqlite:///missing.db") == (
        f"There is no job database {folder}/missing.db: check the url 'sqlite:///missing.db'"
    )
    assert not (folder / "missing.db").exists()


def test_what_has_the_form_of_an_app_may_not_be_one(write):
    module = write("")
    assert is_findable(f"{module}:anything")
    assert is_findable(f"{module}.py")
    assert is_findable("sqlite:///jobs.db")
    assert not is_findable(module)  # may as well be an id
    assert not is_findable("missing:app")
    assert not is_findable("missing.py:app")
    assert not is_findable("import:42")
    assert not is_findable(":app")
    assert not is_findable(".relative:app")
