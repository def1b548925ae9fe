"""Carries events to their subscribers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from continuable.events.log import try_to_log

if TYPE_CHECKING:
    from continuable.events.kinds import Event


class Subscriber(Protocol):
    """The subscribers of events."""

    def __call__(self, event: Event, /) -> object:
        """Take an event; what is raised here, `SystemExit` included, is logged and dropped."""
        ...


class EventStream:
    """The subscribers of one app."""

    def __init__(self) -> None:
        self._subscriptions: list[tuple[Subscriber, Callable[[str], bool]]] = []

    def subscribe(self, subscriber: Subscriber, wants: Callable[[str], bool]) -> None:
        """Call `subscriber` with the events whose dotted names it `wants` at that time."""
        self._subscriptions.append((subscriber, wants))

    def wants(self, name: str) -> bool:
        """Whether anybody does, so that nobody makes an event for nothing."""
        for _, wants in self._subscriptions:  # noqa: SIM110 - on the path of every job
            if wants(name):
                return True
        return False

    def emit(self, event: Event) -> None:
        """Tell everybody who wants to know."""
        for subscriber, wants in self._subscriptions:
            try:
                if wants(event.name):
                    subscriber(event)
            except BaseException:  # noqa: BLE001 - SystemExit, too: it is not the job's
                try_to_log(logging.ERROR, "A subscriber of %s failed", event.name, exc_info=True)
