"""Decorators for the verbs: words, and options with an environment variable each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

C = TypeVar("C", bound=Callable[..., Any])


class Verb(click.Command):
    """A verb whose options have environment variables, such as `CONTINUABLE_WORKER_GRACE`."""

    def __init__(self, name: str, **attributes: Any) -> None:
        super().__init__(name, **attributes)
        for parameter in self.params:
            if isinstance(parameter, click.Option) and parameter.show_envvar:
                parameter.envvar = variable(name, parameter)


def verb(name: str, **attributes: Any) -> Callable[[Callable[..., Any]], click.Command]:
    """Decorate a function as the verb `name`."""
    return click.command(name, cls=Verb, **attributes)


def option(*declarations: str, **attributes: Any) -> Callable[[C], C]:
    """Add an option to a verb; its help shows its variable and its default."""
    return click.option(*declarations, **({"show_default": True} | attributes), show_envvar=True)


def words(metavar: str, *, required: bool = True) -> Callable[[C], C]:
    """Add the words after a verb; `reading.targets` tells the app among them."""
    return click.argument("words", nargs=-1, metavar=metavar, required=required)


def variable(verb: str, option: click.Option) -> str:
    """The environment variable of an option: `--older-than` of `prune` has `..._OLDER_THAN`."""
    long = max(option.opts, key=len).removeprefix("--")
    return f"CONTINUABLE_{verb}_{long}".replace("-", "_").upper()


as_json = option("--json", "as_json", is_flag=True, help="Print JSON, for other programs.")
