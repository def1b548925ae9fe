"""`program`: the command with its verbs, whose modules are imported when they are used."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import click

from continuable.cli.failures import in_sentences

VERBS = {
    "run": "run:command",
    "enqueue": "enqueue:command",
    "worker": "worker:command",
    "list": "list:command",
    "show": "show:command",
    "watch": "watch:command",
    "pause": "requests:pause",
    "resume": "requests:resume",
    "cancel": "requests:cancel",
    "retry": "requests:retry",
    "restart": "requests:restart",
    "discard": "forget:discard",
    "check": "check:command",
    "prune": "forget:prune",
    "demo": "demo:command",
}
"""The module and the function of each verb, in the order of the help."""


class Program(click.Group):
    """The group of all verbs. Their errors become one sentence and an exit code."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """The verbs in the order of the help."""
        return list(VERBS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a verb, imported now: a worker does not import what draws bars."""
        if cmd_name not in VERBS:
            return None
        module, _, name = VERBS[cmd_name].partition(":")
        found: click.Command = getattr(import_module(f"continuable.cli.{module}"), name)
        return found

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb that was typed."""
        with in_sentences():
            return super().invoke(ctx)


def installed_version() -> str:
    """The version of the distribution; `unknown` if it is not installed."""
    try:
        return version("continuable")
    except PackageNotFoundError:
        return "unknown"


@click.group(
    cls=Program,
    context_settings={
        "auto_envvar_prefix": "CONTINUABLE",
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
    },
    epilog="MODULE:APP is jobs:app or jobs.py:app; without it, CONTINUABLE_APP is used. "
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 130 interrupted by Ctrl-C.",
)
@click.version_option(installed_version(), message="%(prog)s %(version)s")
def program() -> None:
    """Jobs that survive a deploy: run them, watch them and steer them."""
