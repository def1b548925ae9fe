"""What the declarations of jobs tell by themselves."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from continuable.app import App
from continuable.cli.health.finding import Finding, ok, problem, warning
from continuable.cli.showing import phrases
from continuable.errors import SerializationError


def registered(app: App, target: str) -> Iterator[Finding]:
    """Which jobs there are, and whether other processes will know them by their names."""
    if not app.jobs:
        yield problem(
            "app", f"{target} has no jobs: name the app in the module with its jobs, or import them"
        )
        return
    yield ok("app", f"{target} has {phrases.plural(len(app.jobs), 'job')}")
    for name in app.jobs:
        if "<" in name:  # `<locals>` or `<lambda>`
            yield warning(
                "app",
                f"Job {name!r} is called after a place inside of other code, where it is lost "
                f"when that code changes: give it name=",
            )


def defaults(app: App) -> Iterator[Finding]:
    """Whether the arguments that are left out by default could be given, too."""
    bad = [warning("arguments", str(error)) for error in refused_defaults(app)]
    if app.jobs and not bad:
        yield ok("arguments", "Every default of a job's parameters can be kept")
    yield from bad


def refused_defaults(app: App) -> Iterator[SerializationError]:
    """Why a default of a job's parameter cannot be kept, for each that cannot."""
    for job in app.jobs.values():
        for parameter in inspect.signature(job.function).parameters.values():
            if parameter.default is parameter.empty:
                continue
            what = f"The default of {parameter.name!r}, a parameter of job {job.name!r},"
            try:
                app.codec.dumps(parameter.default, what)
            except SerializationError as error:
                yield error
