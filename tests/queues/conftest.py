"""What the tests of more than one queue need."""

from collections.abc import Iterator

import pytest

from tests.servers.postgresql import PostgreSQL


@pytest.fixture
def postgresql_beside(monkeypatch) -> Iterator[PostgreSQL]:
    """For the rows and the progress of jobs whose queue is elsewhere."""
    server = PostgreSQL()
    monkeypatch.setenv("CONTINUABLE_TEST_POSTGRESQL", server.url)
    yield server
    server.end()
