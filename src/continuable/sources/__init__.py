"""Sources: data that `step.iterate(source)` reads from a cursor on, in the middle, too."""

from continuable.sources.batches import batches
from continuable.sources.csvrows import csv_rows
from continuable.sources.jsonlines import jsonl
from continuable.sources.keyset import keyset
from continuable.sources.lines import lines
from continuable.sources.nested import nested
from continuable.sources.pages import pages
from continuable.sources.protocol import AsyncSource, Source
from continuable.sources.sequence import sequence

__all__ = [
    "AsyncSource",
    "Source",
    "batches",
    "csv_rows",
    "jsonl",
    "keyset",
    "lines",
    "nested",
    "pages",
    "sequence",
]
