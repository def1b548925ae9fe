"""`program`: the verbs, each imported when it is asked for, and what holds for all of them."""

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
    "discard": "discard:command",
    "check": "check:command",
    "prune": "prune:command",
    "demo": "demo:command",
}
"""Where each verb is, in the order of the help: a worker need not import what draws bars."""


class Program(click.Group):
    """The verbs; whatever they raise comes out as one sentence and an exit code."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """The verbs in the order in which one meets them."""
        return list(VERBS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one verb."""
        if cmd_name not in VERBS:
            return None
        module, _, name = VERBS[cmd_name].partition(":")
        found: click.Command = getattr(import_module(f"continuable.cli.{module}"), name)
        return found

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb."""
        with in_sentences():
            return super().invoke(ctx)


def installed_version() -> str:
    """The version of the distribution; `unknown` where only its source is there."""
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
