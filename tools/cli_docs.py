"""Writes `docs/cli.md` from the help of every verb. Needs what `make lint` sets up."""  # noqa: INP001 - a folder of scripts

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from continuable.cli.program import VERBS, program

PAGE = Path(__file__).parents[1] / "docs" / "cli.md"
COMMAND = ".venvs/dev/bin/python tools/cli_docs.py"
WIDTH = 92
"""Columns, whatever the terminal has: the page must not depend on who writes it."""

BEGINNING = f"""\
<!-- Written by `{COMMAND}` from what --help prints. -->

# Command line

`pip install "continuable[cli]"` brings it. Every command has the same shape:

```text
continuable VERB [MODULE:APP] [WORDS]... [OPTIONS]
```

**The app** is the first word after the verb: `shop.jobs:app`, `shop/jobs.py:app`, or without `:app`
if the module has only one. Or set `CONTINUABLE_APP` once and leave it out. To look at jobs and to
steer them, their file is enough: `continuable list sqlite:///continuable.db`. In a Django project
`manage.py continuable VERB` takes the app from the setting `CONTINUABLE_APP`.

**A job** is the last part of its name, `process_import`, or more of it where that is ambiguous. Its
arguments are JSON where they are JSON and text otherwise; `key=value` is passed by keyword.

**Every option has an environment variable**, which its help names: `--grace` of `worker` is
`CONTINUABLE_WORKER_GRACE`. What is typed wins.

**`--json`** prints what other programs can read.

| exit code | means |
|---|---|
| 0 | done |
| 1 | failed; the sentence on stderr says what to do |
| 2 | wrong usage |
| 3 | not found |
| 130 | interrupted by Ctrl-C |

What the verbs are for: [Running workers](running.md).
"""


def page() -> str:
    """The whole page."""
    overview = f"```text\n{help_of()}```\n"
    return "\n".join([BEGINNING, overview, *map(section, VERBS)])


def section(verb: str) -> str:
    """What one verb says of itself."""
    return f"## {verb}\n\n```text\n{help_of(verb)}```\n"


def help_of(*words: str) -> str:
    """What `continuable VERB --help` prints."""
    asked = [*words, "--help"]
    answer = CliRunner().invoke(program, asked, prog_name="continuable", terminal_width=WIDTH)
    return answer.output


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
