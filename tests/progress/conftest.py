"""Stores on servers that a test may restart."""

import pytest

from tests.progress.places import PLACES


@pytest.fixture
def place(request):
    """A store on a server of its own that may be restarted, by its name in `PLACES`."""
    server, kind = PLACES[request.param]
    place = kind(request.getfixturevalue(server))
    yield place
    place.close()
    place.store.close()
