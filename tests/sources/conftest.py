"""Fixtures of the session, so that hypothesis may use them in every example."""

import asyncio
import json
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from continuable.sources import AsyncSource, Source

WriteFile = Callable[[bytes], Path]
ResumesAnywhere = Callable[[Any, list[Any]], None]


@pytest.fixture(scope="session")
def write_file(tmp_path_factory: pytest.TempPathFactory) -> WriteFile:
    """A function that writes bytes to a new file and gives its path."""
    folder = tmp_path_factory.mktemp("sources")
    numbers = count()

    def write(content: bytes) -> Path:
        path = folder / f"{next(numbers)}.txt"
        path.write_bytes(content)
        return path

    return write


@pytest.fixture(scope="session")
def resumes_anywhere() -> ResumesAnywhere:
    """A function that checks what a source promises: all items, and the rest from any cursor."""

    def check(source: Source[Any] | AsyncSource[Any], expected: list[Any]) -> None:
        pairs = read(source, None)
        assert [item for item, _ in pairs] == expected
        assert source.total() in (None, len(expected))
        for done, (_, cursor) in enumerate(pairs, 1):
            kept = json.loads(json.dumps(cursor))
            assert kept == cursor
            assert read(source, kept) == pairs[done:]

    return check


def read(source: Source[Any] | AsyncSource[Any], cursor: Any) -> list[tuple[Any, Any]]:
    """All pairs of item and cursor from `cursor` on, whichever kind of source it is."""
    if isinstance(source, Source):
        return list(source.items(cursor))

    async def read_async() -> list[tuple[Any, Any]]:
        return [pair async for pair in source.aitems(cursor)]

    return asyncio.run(read_async())
