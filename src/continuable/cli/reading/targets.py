"""The app and the job among the words after a verb."""

from __future__ import annotations

import os
from collections.abc import Sequence

from continuable.app import App
from continuable.cli.failures import WRONG_USAGE, Failure
from continuable.cli.reading.loading import is_findable, load_app

ENVIRONMENT = "CONTINUABLE_APP"


def app_of(words: Sequence[str]) -> App:
    """The app of a verb that takes no other word."""
    return load_app(target_of(words))


def target_of(words: Sequence[str]) -> str:
    """The target of a verb that takes no other word, such as `jobs:app`."""
    target, rest = split(words, at_most=0)
    if rest:
        raise Failure(f"Only one app at a time: {' '.join(words)!r} names more", WRONG_USAGE)
    return target


def app_and_id(words: Sequence[str]) -> tuple[App, str]:
    """The app and the id of a job. A single word is the id."""
    if len(words) == 1 and (os.environ.get(ENVIRONMENT) or not is_findable(words[0])):
        return load_app(needed_from_environment()), words[0]
    app, job_id = app_and_maybe_id(words)
    if job_id is None:
        raise Failure("Say which job: its id comes after the app", WRONG_USAGE)
    return app, job_id


def app_and_maybe_id(words: Sequence[str]) -> tuple[App, str | None]:
    """The app, and the id of a job if one was typed."""
    target, rest = split(words, at_most=1)
    if len(rest) > 1:
        raise Failure(f"Only one job at a time: {' '.join(rest)!r} names more", WRONG_USAGE)
    return load_app(target), rest[0] if rest else None


def app_and_job(words: Sequence[str]) -> tuple[App, str, list[str]]:
    """The app, the name of a job and its arguments."""
    target, rest = split(words)
    if not rest:
        raise Failure("Say which job: its name comes after the app", WRONG_USAGE)
    return load_app(target), rest[0], rest[1:]


def split(words: Sequence[str], *, at_most: int | None = None) -> tuple[str, list[str]]:
    """The target and the words after it.

    The first word is the app if `CONTINUABLE_APP` names none, if there are more words than the
    `at_most` that may follow it, or if it is one: an id or a job's name may have a colon too.
    """
    given = os.environ.get(ENVIRONMENT)
    is_one_more = at_most is not None and len(words) == at_most + 1
    if words and (not given or is_one_more or is_findable(words[0])):
        return words[0], list(words[1:])
    return needed_from_environment(), list(words)


def needed_from_environment() -> str:
    """The target from `CONTINUABLE_APP`; `Failure` if it is not set."""
    given = os.environ.get(ENVIRONMENT)
    if not given:
        raise Failure(
            f"Say which app: MODULE:APP (jobs:app, or jobs.py:app) comes right after the verb, "
            f"or set {ENVIRONMENT}",
            WRONG_USAGE,
        )
    return given
