"""The page about the command line says what the command line says of itself."""

import pytest

from continuable.cli.program import VERBS
from tools import cli_docs


def test_the_page_is_what_its_generator_gives():
    assert cli_docs.PAGE.read_text(encoding="utf-8") == cli_docs.page(), (
        f"docs/cli.md is out of date: `{cli_docs.COMMAND}` writes it anew"
    )


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_section_with_its_own_help(verb: str):
    _, _, section = cli_docs.page().partition(f"\n## {verb}\n")
    assert section.lstrip("\n").startswith(f"```text\nUsage: continuable {verb} ")
    assert "--help" in section.partition("\n## ")[0]


def test_the_page_does_not_depend_on_the_width_of_the_terminal(monkeypatch: pytest.MonkeyPatch):
    page = cli_docs.page()
    monkeypatch.setenv("COLUMNS", "40")
    assert cli_docs.page() == page


def test_the_page_does_not_depend_on_the_variables_of_who_writes_it(
    monkeypatch: pytest.MonkeyPatch,
):
    page = cli_docs.page()
    monkeypatch.setenv("CONTINUABLE_APP", "elsewhere:app")
    monkeypatch.setenv("CONTINUABLE_WORKER_GRACE", "5m")
    assert cli_docs.page() == page
