"""Importing the module that an app is in, by its dotted name or by its file."""

from __future__ import annotations

import os
import sys
from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from continuable.cli.failures import WRONG_USAGE, Failure
from continuable.cli.reading.places import place_of


def imported(name: str) -> ModuleType:
    """Import a module by its dotted name or its path; `Failure` where that cannot be."""
    look_in_current_folder()
    file = Path(name).expanduser().absolute() if is_path(name) else None
    if file is None and not all(name.split(".")):
        raise Failure(
            f"{name!r} is no name of a module: write jobs:app or jobs.py:app", WRONG_USAGE
        )
    module_name = name if file is None else name_of_file(file)
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and f"{module_name}.".startswith(f"{error.name}."):
            raise Failure(no_module(module_name), WRONG_USAGE) from None
        raise broken(module_name, error) from error
    except (Exception, SystemExit) as error:
        raise broken(module_name, error) from error
    if file is not None:
        refuse_namesake(module, file)
    return module


def is_path(name: str) -> bool:
    """Whether a module is named by its file."""
    return name.endswith(".py") or os.sep in name


def is_importable(name: str) -> bool:
    """Whether the top of a dotted name can be found."""
    look_in_current_folder()
    try:
        return find_spec(name.partition(".")[0]) is not None
    except (ImportError, ValueError):
        return False


def look_in_current_folder() -> None:
    """Find modules in the current folder first, as `python -m` does."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)


def name_of_file(file: Path) -> str:
    """The dotted name under which `file` can be imported from now on."""
    if not file.is_file():
        raise Failure(f"There is no file {file}: check the path to the app's module", WRONG_USAGE)
    root, names = file.parent, [file.stem]
    while (root / "__init__.py").exists():
        names.insert(0, root.name)
        root = root.parent
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    return ".".join(names).removesuffix(".__init__")


def no_module(name: str) -> str:
    """What to do about a module that is not there."""
    here = [path.stem for path in Path.cwd().glob("*.py")]
    close = get_close_matches(name, here, n=1)
    hint = f"did you mean {close[0]!r}?" if close else "check its name, or go to its folder"
    return f"There is no module {name!r} in {Path.cwd()} or on the Python path: {hint}"


def broken(name: str, error: BaseException) -> Failure:
    """What to do about a module that raises when it is imported."""
    return Failure(
        f"The module {name!r} cannot be imported: {place_of(error)}. "
        f"Mend it and try again; its jobs stay in the queue"
    )


def refuse_namesake(module: ModuleType, file: Path) -> None:
    """`Failure` where `module` is not the one in `file`."""
    found = getattr(module, "__file__", None)
    if found is None or not Path(found).samefile(file):
        raise Failure(
            f"{file.name} cannot be imported, for Python has another module named "
            f"{module.__name__!r} ({found or 'built in'}): rename the file",
            WRONG_USAGE,
        )
