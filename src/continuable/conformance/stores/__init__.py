"""The suite for stores of progress."""

from continuable.conformance.stores.suite import ProgressStoreSuite

__all__ = ["ProgressStoreSuite"]
