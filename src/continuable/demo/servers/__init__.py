"""Servers of the demo's own, from wheels."""
