"""The app that `jobs:app`, `src/jobs.py:app`, `jobs` or `sqlite:///jobs.db` names."""

from __future__ import annotations

from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import Any

from continuable.app import App
from continuable.cli.failures import WRONG_USAGE, Failure
from continuable.cli.reading.modules import imported, is_importable, is_path
from continuable.cli.reading.projects import set_up_django
from continuable.queues.embedded import EmbeddedQueue
from continuable.sqlite.location import SCHEME, path_of


def load_app(target: str) -> App:
    """The app that `target` names; a `Failure` if there is none.

    `sqlite:///jobs.db` is an app without code: enough to look at jobs and to steer them.
    """
    if target.startswith(SCHEME):
        return app_without_code(target)
    set_up_django()
    module_name, name = parts(target)
    module = imported(module_name)
    app = app_called(module, name) if name else only_app(module)
    return with_queue(app)


def is_findable(target: str) -> bool:
    """Does `target` have the form of an app, in a module that can be found?"""
    if target.startswith(SCHEME):
        return True
    module_name, name = parts(target)
    if is_path(module_name):
        return Path(module_name).expanduser().is_file()
    return bool(name) and is_importable(module_name)


def parts(target: str) -> tuple[str, str]:
    """The module and the name of the app in it; an empty name means the only app."""
    head, colon, tail = target.rpartition(":")
    return (head, tail) if colon and not is_path(tail) else (target, "")


def only_app(module: ModuleType) -> App:
    """The only app of a module, by any of its names; `Failure` for none or several."""
    apps = apps_in(module)
    if not apps:
        raise Failure(f"{module.__name__!r} has no App: add `app = App()` to it", WRONG_USAGE)
    if len(set(map(id, apps.values()))) > 1:
        there = listed(module)
        raise Failure(f"{module.__name__!r} has several apps, say which: {there}", WRONG_USAGE)
    return next(iter(apps.values()))


def app_called(module: ModuleType, name: str) -> App:
    """The app of that name in a module; `Failure` if there is none."""
    there = listed(module)
    found: Any = None
    try:
        found = attrgetter(name)(module)
    except AttributeError:
        hint = f"there is {there}" if there else f"add `{name} = App()` to it"
        raise Failure(f"{module.__name__!r} has no {name!r}: {hint}", WRONG_USAGE) from None
    if isinstance(found, App):
        return found
    hint = f"there is {there}" if there else "name an App"
    kind = type(found).__name__
    raise Failure(f"{module.__name__}:{name} is no App but a {kind}: {hint}", WRONG_USAGE)


def apps_in(module: ModuleType) -> dict[str, App]:
    """The apps of a module by their names."""
    return {name: value for name, value in vars(module).items() if isinstance(value, App)}


def listed(module: ModuleType) -> str:
    """The apps of a module as they are typed: `jobs:app, jobs:other`."""
    return ", ".join(f"{module.__name__}:{name}" for name in apps_in(module))


def with_queue(app: App) -> App:
    """The app with its queue made; `Failure` if its url names no database."""
    try:
        app.queue  # noqa: B018 - made when it is first asked for
    except ValueError as error:
        raise Failure(str(error), WRONG_USAGE) from error
    return app


def app_without_code(url: str) -> App:
    """An app without jobs on a database that exists; `Failure` if it does not."""
    app = with_queue(App(url))
    path = path_of(url).absolute()
    if not path.exists():
        raise Failure(f"There is no job database {path}: check the url {url!r}", WRONG_USAGE)
    return app


def embedded_queue(app: App, verb: str) -> EmbeddedQueue:
    """The queue of `app`; `Failure` if it is another engine's, which cannot do the verb."""
    queue = app.queue
    if not isinstance(queue, EmbeddedQueue):
        raise Failure(
            f"The app is on {type(queue).__name__}, and `{verb}` is for the embedded queue: "
            f"use that engine's own command",
            WRONG_USAGE,
        )
    return queue
