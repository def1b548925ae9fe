"""Why there is no demo, or why it ends before its end."""

from __future__ import annotations


class DemoError(Exception):
    """The demo could not be shown; the message says why."""
