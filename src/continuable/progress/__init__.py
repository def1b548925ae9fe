"""Durable progress: the protocol that stores keep, and one module for each of ours."""

from continuable.progress.protocol import (
    Claim,
    Keeper,
    Leased,
    Limits,
    Note,
    Paused,
    ProgressStore,
    Recovered,
    Requested,
    Save,
    Settled,
    Stale,
)

__all__ = [
    "Claim",
    "Keeper",
    "Leased",
    "Limits",
    "Note",
    "Paused",
    "ProgressStore",
    "Recovered",
    "Requested",
    "Save",
    "Settled",
    "Stale",
]
