"""The command line, `continuable VERB [MODULE:APP]`. Needs the extra `cli`."""

from __future__ import annotations

import sys
from importlib.util import find_spec

NEEDS = ("click", "rich")


def main() -> None:
    """Run the command line of this process, and exit."""
    missing = [name for name in NEEDS if find_spec(name) is None]
    if missing:
        sys.stderr.write(
            f"The command line needs {' and '.join(missing)}: "
            f'pip install "continuable[cli]" installs all it needs.\n'
        )
        sys.exit(2)

    from continuable.cli.program import program

    program(prog_name="continuable")
