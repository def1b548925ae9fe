"""The plain form of types whose modules are slow to import: only for who has such values."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path, PurePosixPath, PureWindowsPath
from uuid import UUID

from continuable.serialization.plain_types import Dumper, Loader, from_text, tagged

DUMPERS: dict[type, Dumper] = {
    Decimal: tagged("decimal", str),
    UUID: tagged("uuid", str),
    type(Path()): tagged("path", str),
    PurePosixPath: tagged("pure_posix_path", str),
    PureWindowsPath: tagged("pure_windows_path", str),
}

LOADERS: dict[str, Loader] = {
    "decimal": from_text(Decimal),
    "uuid": from_text(UUID),
    "path": from_text(Path),
    "pure_posix_path": from_text(PurePosixPath),
    "pure_windows_path": from_text(PureWindowsPath),
}
