"""The verb only: what it shows is tested in `tests/demo`."""

import pytest

from continuable import demo
from continuable.demo.stages import STAGES


@pytest.fixture
def shown(monkeypatch):
    """The options that the demo is called with, in place of the demo."""
    calls = []

    def show(**options):
        calls.append(options)
        return 1 if options["plain"] else 0

    monkeypatch.setattr(demo, "show", show)
    return calls


def test_the_help_says_what_is_shown(call):
    told = call("demo", "--help").stdout
    for option in ("--csv FILE", "--plain", "--no-commit", "--rows", "default: 80000", "--queue"):
        assert option in told


def test_the_exit_code_is_that_of_the_demo(call, shown):
    assert call("demo").exit_code == 0
    assert call("demo", "--plain").exit_code == 1
    assert shown == [
        {"csv": None, "rows": 80_000, "queue": "embedded", "plain": False, "commit": None},
        {"csv": None, "rows": 80_000, "queue": "embedded", "plain": True, "commit": None},
    ]


def test_the_queues_are_those_that_there_are_stages_for(call, shown):
    for queue in STAGES:
        assert call("demo", "--queue", queue).exit_code == 0
    assert [options["queue"] for options in shown] == list(STAGES)
    refused = call("demo", "--queue", "kafka")
    assert refused.exit_code == 2
    assert "'kafka' is not one of 'embedded', 'celery', 'rq', 'procrastinate'" in refused.stderr


def test_a_commit_is_asked_for_declined_or_left_to_the_queue(call, shown):
    for words in (["--commit"], ["--no-commit"], []):
        call("demo", *words)
    assert [options["commit"] for options in shown] == [True, False, None]


def test_options_are_handed_over(call, shown, folder):
    (folder / "orders.csv").touch()
    call("demo", "--csv", "orders.csv", "--no-commit", CONTINUABLE_DEMO_ROWS="7")
    (options,) = shown
    assert (options["csv"].name, options["rows"], options["commit"]) == ("orders.csv", 7, False)


def test_a_missing_file_is_wrong_usage(call, shown):
    result = call("demo", "--csv", "orders.csv")
    assert result.exit_code == 2
    assert "'orders.csv' does not exist" in result.stderr
    assert shown == []


def test_a_file_that_is_no_csv_is_told_without_a_traceback(call, folder):
    (folder / "orders.csv").write_bytes(b"\xff\xfe\x00")
    result = call("demo", "--csv", "orders.csv")
    assert result.exit_code == 1
    assert "cannot be read as a CSV file in UTF-8" in result.stderr
