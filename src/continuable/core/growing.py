"""JSON of a list or an object that grows: what is in it already is not serialised again."""

from __future__ import annotations

from typing import Any

from continuable.serialization import compact


class GrowingJson:
    """The text of one list or dict, without its brackets."""

    def __init__(self) -> None:
        self._text = ""
        self._count = -1  # of the items in the text

    def add(self, item: list[Any] | dict[str, Any]) -> None:
        """`item`, the only one in a list or dict of its own, was appended."""
        if self._count < 0:
            return  # there is no text yet
        text = compact(item)[1:-1]
        self._text = f"{self._text},{text}" if self._count else text
        self._count += 1

    def forget(self) -> None:
        """The items were changed in another way: all are serialised anew."""
        self._count = -1

    def text_of(self, items: list[Any] | dict[str, Any]) -> str:
        """The text of `items`."""
        if self._count != len(items):
            self._text, self._count = compact(items)[1:-1], len(items)
        return self._text
