"""A world that jobs change, and a check that looks at it."""

import re

import pytest

from continuable import App
from continuable.testing import NotResumableError, check_resumable

ALL = ("interrupt", "kill", "error", "duplicate")


@pytest.fixture
def app():
    return App()


class World(list):
    """What the job under test has done, in order."""

    def once(self, what):
        """An effect that is idempotent."""
        if what not in self:
            self.append(what)


@pytest.fixture
def world():
    return World()


@pytest.fixture
def check(world):
    def check(job, *args, observe=lambda: [*world], reset=world.clear, **options):
        return check_resumable(job, *args, observe=observe, reset=reset, **options)

    return check


@pytest.fixture
def passes(check):
    """Check a job that resumes everywhere, whatever strikes it."""

    def passes(job, *args, faults=ALL, **options):
        found = check(job, *args, faults=faults, **options)
        assert found.runs > 0
        return found

    return passes


class Report:
    """What a failing check says."""

    def __init__(self, error: NotResumableError) -> None:
        self.error = error
        self.text = str(error)

    @property
    def causes(self) -> list[str]:
        """The causes it names, each by its first sentence."""
        return re.findall(r"Usual cause: ([^.]*)", " ".join(self.text.split()))

    @property
    def strikes(self) -> list[str]:
        return [str(failure.strike) for failure in self.error.failures]


@pytest.fixture
def report(check):
    """Check a job that does not resume everywhere: the report."""

    def report(job, *args, **options):
        with pytest.raises(NotResumableError) as caught:
            check(job, *args, **options)
        return Report(caught.value)

    return report
