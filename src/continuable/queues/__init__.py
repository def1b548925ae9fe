"""Queues: the protocol, and one module for each engine."""

from continuable.queues.protocol import Board, Queue

__all__ = ["Board", "Queue"]
