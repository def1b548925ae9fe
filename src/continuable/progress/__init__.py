"""Durable progress: the protocol that stores keep, and one module for each of ours."""

from continuable.progress.protocol import (
    Busy,
    Claim,
    Held,
    Keeper,
    Limits,
    Note,
    Over,
    ProgressStore,
    Requested,
    Save,
    Settled,
)

__all__ = [
    "Busy",
    "Claim",
    "Held",
    "Keeper",
    "Limits",
    "Note",
    "Over",
    "ProgressStore",
    "Requested",
    "Save",
    "Settled",
]
