"""The command line, `continuable VERB [MODULE:APP]`. Needs the extra `cli`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import NoReturn

NEEDS = ("click", "rich")


def main(words: Sequence[str] | None = None, name: str = "continuable") -> NoReturn:
    """Run the command line, by default that of this process, and exit.

    `name`: how it was called, for its help.
    """
    missing = [name for name in NEEDS if find_spec(name) is None]
    if missing:
        sys.stderr.write(
            f"The command line needs {' and '.join(missing)}: "
            f'pip install "continuable[cli]" installs all it needs.\n'
        )
        sys.exit(2)

    from continuable.cli.program import program

    program(words, prog_name=name)
    raise AssertionError("click has not exited")
