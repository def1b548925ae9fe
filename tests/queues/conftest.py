"""What the tests of more than one queue need."""

from uuid import uuid4

import pytest

from continuable.conformance import QueueSuite
from tests.servers.postgresql import PostgreSQL

SAMPLE = {
    "test_a_worker_that_is_stopped_hands_its_job_over": {"whom": "main"},
    "test_a_job_whose_process_is_killed_resumes_at_its_last_save": {"whom": "all"},
}
"""Of the suite for queues, what stands for the rest, with the first kind of worker: by its name."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, pytest.Function) and item.originalname in SAMPLE:
            params = SAMPLE[item.originalname] | {"kind": kinds_of(item)[0]}
            if item.callspec.params == params:
                item.add_marker("sample")


def kinds_of(item: pytest.Function) -> tuple[str, ...]:
    suite = item.cls
    assert suite is not None
    assert issubclass(suite, QueueSuite)
    return suite.kinds


@pytest.fixture
def postgresql_beside(postgresql_server: PostgreSQL, monkeypatch) -> None:
    """A database for the rows and the progress of jobs whose queue is elsewhere."""
    url = postgresql_server.create(f"beside_{uuid4().hex}")
    monkeypatch.setenv("CONTINUABLE_TEST_POSTGRESQL", url)
