"""What holds for all verbs: help, variables, exit codes, and what must be installed."""

import subprocess
import sys

import click
import pytest

from continuable import cli
from continuable.cli.failures import Failure, in_sentences
from continuable.cli.program import VERBS, program
from continuable.errors import JobNotFoundError, SerializationError, StoreError
from tests.cli.process import SOURCE


def options_of(verb):
    command = program.get_command(None, verb)
    return [
        max(parameter.opts, key=len)
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.hidden
    ]


def test_the_help_names_every_verb_in_its_order_with_an_unbroken_sentence(call):
    told = call("--help").stdout
    lines = told.partition("Commands:\n")[2].partition("\n\n")[0].splitlines()
    assert [line.split()[0] for line in lines] == list(VERBS)
    assert all(line.endswith(".") and not line.endswith("...") for line in lines)


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_tells_the_variable_of_each_option(call, verb):
    result = call(verb, "--help")
    assert result.exit_code == 0
    told = " ".join(result.stdout.split())
    assert told.startswith(f"Usage: continuable {verb} [OPTIONS]")
    for option in options_of(verb):
        variable = f"CONTINUABLE_{verb}{option.replace('--', '_')}".replace("-", "_").upper()
        assert f"[env var: {variable}" in told


def test_an_option_may_come_from_its_variable_and_what_is_typed_wins(call, add, table):
    call("enqueue", add, "add", "1", CONTINUABLE_ENQUEUE_PRIORITY="7", CONTINUABLE_ENQUEUE_ID="a")
    call("enqueue", add, "add", "1", "--id", "b", CONTINUABLE_ENQUEUE_ID="a")
    assert {job.id: job.priority for job in table.list()} == {"a": 7, "b": 0}
    listed = call("list", add, CONTINUABLE_LIST_JSON="1", CONTINUABLE_LIST_STATE="failed waiting")
    assert listed.stdout.startswith("[")
    assert listed.stdout.count('"id"') == 2


def test_a_variable_that_cannot_be_meant_is_named(call, add):
    result = call("list", add, CONTINUABLE_LIST_LIMIT="many")
    assert result.exit_code == 2
    assert "CONTINUABLE_LIST_LIMIT" in result.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["lsit"], "No such command 'lsit'"),
        (["list", "--stat", "failed"], "No such option"),
        (["list", "--state", "fine"], "'fine' is not one of 'waiting', 'running'"),
        (["prune"], "Missing option '--older-than'"),
        (["prune", "--older-than", "old"], "'old' is no duration: write 30s, 10m, 2h, 1d or 1h30m"),
        (["worker", "-c", "0"], "0 is not in the range x>=1"),
        (["show"], "Missing argument"),
    ],
)
def test_wrong_usage_is_told_and_exits_with_2(call, words, told):
    result = call(*words)
    assert result.exit_code == 2
    assert told in result.stderr


def test_the_version_is_told(call):
    assert call("--version").stdout.startswith("continuable ")


@pytest.mark.parametrize(
    ("error", "exit_code", "told"),
    [
        (JobNotFoundError("x"), 3, "No job 'x'"),
        (StoreError("The disk is full: free some space"), 1, "The disk is full: free some space"),
        (SerializationError("It cannot be kept"), 1, "It cannot be kept"),
        (PermissionError(13, "Permission denied", "jobs.db"), 1, "who may use it"),
    ],
)
def test_what_users_can_mend_is_a_sentence_with_an_exit_code(error, exit_code, told):
    with pytest.raises(Failure) as failure, in_sentences():
        raise error
    assert failure.value.exit_code == exit_code
    assert told in failure.value.message


def test_ctrl_c_is_no_failure_but_exits_with_130():
    with pytest.raises(click.exceptions.Exit) as left, in_sentences():
        raise KeyboardInterrupt
    assert left.value.exit_code == 130


def test_a_bug_of_ours_is_not_hidden():
    with pytest.raises(ZeroDivisionError), in_sentences():
        raise ZeroDivisionError


def test_without_the_extra_the_line_that_installs_it_is_printed():
    """An interpreter without site-packages has nothing but Python and our source."""
    result = subprocess.run(
        [sys.executable, "-S", "-m", "continuable", "list"],
        env={"PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert result.stderr == (
        "The command line needs click and rich: "
        'pip install "continuable[cli]" installs all it needs.\n'
    )


def test_only_what_is_missing_is_named(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "rich", None)
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 2
    assert capsys.readouterr().err.startswith("The command line needs rich: ")


def test_a_worker_imports_nothing_that_draws():
    code = (
        "import sys; from continuable.cli.program import program;"
        "program.get_command(None, 'worker');"
        "sys.exit('rich' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(SOURCE)}, check=True)
