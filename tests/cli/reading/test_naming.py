import pytest

from continuable import App
from continuable.cli.failures import Failure
from continuable.cli.reading.naming import find_job, names_meant


@pytest.fixture
def app():
    app = App()
    for name in ("shop.orders.import_rows", "shop.mail.send", "blog.mail.send", "send_all"):
        app.job(lambda job: None, name=name)
    return app


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("shop.orders.import_rows", "shop.orders.import_rows"),
        ("import_rows", "shop.orders.import_rows"),
        ("orders.import_rows", "shop.orders.import_rows"),
        ("shop.mail.send", "shop.mail.send"),
        ("send_all", "send_all"),
    ],
)
def test_a_job_is_found_by_its_name_or_the_last_part_of_it(app, words, name):
    assert find_job(app, words).name == name
    assert names_meant(app, words) == [name]


def test_a_part_of_a_word_is_no_last_part(app):
    assert names_meant(app, "rows") == []


@pytest.mark.parametrize(
    ("words", "exit_code", "told"),
    [
        ("mail.send", 2, "may be any of blog.mail.send, shop.mail.send: write more of its name"),
        ("import_row", 3, "The app has no job 'import_row': did you mean 'import_rows'?"),
        ("xyzzy", 3, "it has blog.mail.send, send_all, shop.mail.send, shop.orders.import_rows"),
    ],
)
def test_a_name_that_does_not_tell_says_which_there_are(app, words, exit_code, told):
    with pytest.raises(Failure) as failure:
        find_job(app, words)
    assert failure.value.exit_code == exit_code
    assert told in failure.value.message


def test_an_app_without_jobs_is_told_apart():
    with pytest.raises(Failure, match="is the module with its jobs imported"):
        find_job(App(), "send")
