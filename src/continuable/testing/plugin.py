"""The pytest plugin: fixtures for jobs under test. Imports the library when one is used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from continuable.testing.queue import TestQueue


@pytest.fixture
def continuable_queue() -> Iterator[TestQueue]:
    """A fresh `TestQueue`; `continuable_queue.use(app)` runs the jobs of `app` on it.

    The app has its own queue back after the test.
    """
    from continuable.testing.queue import TestQueue

    with TestQueue() as queue:
        yield queue


@pytest.fixture(scope="session")  # so that it may be asked for beside hypothesis' @given
def check_resumable() -> Callable[..., Any]:
    """The function `continuable.testing.check_resumable`."""
    from continuable.testing.resumability.check import check_resumable

    return check_resumable
