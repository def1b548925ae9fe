import pytest

from continuable.cli.failures import Failure
from continuable.cli.reading.targets import app_and_id, app_and_job, app_and_maybe_id, app_of, split


@pytest.fixture
def from_environment(monkeypatch, jobs):
    """An app that the environment names."""
    target = jobs("")
    monkeypatch.setenv("CONTINUABLE_APP", target)
    return target


def module_of(app):
    return next(iter(app.jobs)).rpartition(".")[0]


def test_the_first_word_is_the_app(add):
    app, name, arguments = app_and_job([add, "add", "1", "2"])
    assert module_of(app) == add.removesuffix(":app")
    assert (name, arguments) == ("add", ["1", "2"])


def test_the_environment_names_the_app_where_no_word_does(from_environment):
    assert split(["add", "1"]) == (from_environment, ["add", "1"])
    assert split([], at_most=0) == (from_environment, [])
    assert app_and_job(["add", "1"])[1:] == ("add", ["1"])
    assert app_and_maybe_id([])[1] is None
    assert app_and_maybe_id(["mail:42"])[1] == "mail:42"
    assert app_and_id(["mail:42"])[1] == "mail:42"
    assert not app_of([]).jobs


def test_an_app_that_is_named_wins_over_the_environment(from_environment, add):
    name = add.removesuffix(":app")
    assert module_of(app_of([add])) == name
    assert module_of(app_of([name])) == name
    assert module_of(app_and_id([add, "42"])[0]) == name
    assert module_of(app_and_maybe_id([add])[0]) == name
    assert module_of(app_and_job([add, "add"])[0]) == name
    assert module_of(app_and_job([f"{name}.py:app", "add"])[0]) == name


def test_a_word_too_many_is_the_app_even_if_it_cannot_be_found(from_environment):
    """So that it is said that it cannot be found."""
    assert split(["missing:app", "42"], at_most=1) == ("missing:app", ["42"])


@pytest.mark.parametrize("read", [app_of, app_and_id, app_and_maybe_id, app_and_job])
def test_without_any_app_the_ways_to_name_one_are_said(read):
    with pytest.raises(Failure, match=r"Say which app: MODULE:APP \(jobs:app, or jobs.py:app\)"):
        read([])


def test_a_single_id_without_an_app_asks_for_the_app():
    with pytest.raises(Failure, match="Say which app"):
        app_and_id(["42"])


def test_an_app_without_the_job_asks_for_the_job(add):
    with pytest.raises(Failure, match="Say which job: its id comes after the app"):
        app_and_id([add])
    with pytest.raises(Failure, match="Say which job: its name comes after the app"):
        app_and_job([add])


def test_more_words_than_a_verb_takes_are_refused(add):
    with pytest.raises(Failure, match=r"Only one app at a time: '.*:app other:app' names more"):
        app_of([add, "other:app"])
    with pytest.raises(Failure, match="Only one job at a time: '42 43' names more"):
        app_and_id([add, "42", "43"])
    with pytest.raises(Failure, match="Only one job at a time: '42 43' names more"):
        app_and_maybe_id([add, "42", "43"])
