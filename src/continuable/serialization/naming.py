"""The names by which jobs and types are found again in another process."""

from __future__ import annotations

import os
import sys

# What `multiprocessing` spawns has the same file under the second name.
_MAIN = ("__main__", "__mp_main__")


def importable_module(module: str) -> str:
    """`module`, or for `__main__` the name under which a worker imports the same file."""
    if module not in _MAIN:
        return module
    main = sys.modules["__main__"]
    spec = getattr(main, "__spec__", None)
    if spec is not None:
        return str(spec.name)  # of `python -m package`: `package.__main__`
    file = getattr(main, "__file__", None)
    return os.path.splitext(os.path.basename(file))[0] if file else module  # noqa: PTH119, PTH122 - pathlib is slow to import
