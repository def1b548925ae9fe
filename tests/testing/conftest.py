"""An app whose jobs run when the test says so."""

import pytest

from continuable import App
from continuable.testing import TestQueue


@pytest.fixture
def queue() -> TestQueue:
    return TestQueue()


@pytest.fixture
def app(queue: TestQueue) -> App:
    return App(queue=queue)
