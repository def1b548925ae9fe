"""Servers for the stores: started when the first test asks for one."""

from collections.abc import Iterator

import pytest

from tests.progress.places import PLACES
from tests.servers import mariadb as installed
from tests.servers.found import MARIADB, mariadb_url
from tests.servers.postgresql import PostgreSQL
from tests.servers.redis import RedisServer


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    server = PostgreSQL()
    yield server
    server.end()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    server = RedisServer()
    yield server
    server.end()


@pytest.fixture(scope="session")
def mariadb() -> Iterator[str]:
    with mariadb_url() as url:
        if url is None:
            pytest.skip(f"no MariaDB or MySQL answers at {MARIADB} (CONTINUABLE_TEST_MARIADB)")
        yield url


@pytest.fixture(scope="session")
def private_mariadb() -> Iterator[installed.MariaDB]:
    if not installed.is_there():
        pytest.skip("mariadbd is not installed (mariadb-server)")
    server = installed.MariaDB()
    yield server
    server.end()


@pytest.fixture
def place(request):
    """A store on a server of its own that may be restarted, by its name in `PLACES`."""
    server, kind = PLACES[request.param]
    place = kind(request.getfixturevalue(server))
    yield place
    place.close()
    place.store.close()
