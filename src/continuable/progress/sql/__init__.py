"""Stores in SQL databases: one set of statements, one class that runs them, a dialect each."""
