"""Where the rows go."""

from continuable.demo.tables.protocol import Record, Table

__all__ = ["Record", "Table"]
