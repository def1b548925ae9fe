"""The job that a typed name means: its full name, or an unambiguous last part of it."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from continuable.app import App
from continuable.cli.failures import NOT_FOUND, WRONG_USAGE, Failure
from continuable.cli.showing.phrases import short_name
from continuable.declaration.definition import JobDefinition


def find_job(app: App, name: str) -> JobDefinition[..., Any]:
    """The job of `app` that `name` means; `Failure` for none or several, with their names."""
    meant = names_meant(app, name)
    if len(meant) == 1:
        return app.jobs[meant[0]]
    if meant:
        choices = ", ".join(sorted(meant))
        raise Failure(f"{name!r} may be any of {choices}: write more of its name", WRONG_USAGE)
    raise Failure(f"The app has no job {name!r}: {hint(app, name)}", NOT_FOUND)


def names_meant(app: App, name: str) -> list[str]:
    """The full names of the jobs that `name` may mean."""
    if name in app.jobs:
        return [name]
    return [full for full in app.jobs if full.endswith(f".{name}")]


def hint(app: App, name: str) -> str:
    """A hint for a name that no job has: a close one, or all of them."""
    if not app.jobs:
        return "it has none at all, is the module with its jobs imported?"
    known = {short_name(full): full for full in app.jobs} | {full: full for full in app.jobs}
    close = get_close_matches(name, known, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"it has {', '.join(sorted(app.jobs))}"
