"""The import of the module that an app is in, and the place of an error in it."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from continuable.cli.failures import WRONG_USAGE, Failure

IMPORTERS = (Path(importlib.__file__).parent, Path(__file__).parent)
"""The folders of Python's import machinery and of this room."""


def imported(name: str) -> ModuleType:
    """Import a module by its dotted name or its path; `Failure` if that does not work."""
    look_in_current_folder()
    file = Path(name).expanduser().absolute() if is_path(name) else None
    if file is None and not all(name.split(".")):
        raise Failure(
            f"{name!r} is no name of a module: write jobs:app or jobs.py:app", WRONG_USAGE
        )
    module_name = name if file is None else name_of_file(file)
    try:
        module = importlib.import_module(module_name)
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
    """Is the module given as a file?"""
    return name.endswith(".py") or os.sep in name


def is_importable(name: str) -> bool:
    """Is there a module or package of the first part of a dotted name?"""
    look_in_current_folder()
    try:
        return find_spec(name.partition(".")[0]) is not None
    except (ImportError, ValueError):
        return False


def look_in_current_folder() -> None:
    """Put the current folder first on the Python path, as `python -m` does."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)


def name_of_file(file: Path) -> str:
    """Put the folder of `file` on the Python path, and return the dotted name of its module."""
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
    """The message for a module that does not exist."""
    here = [path.stem for path in Path.cwd().glob("*.py")]
    close = get_close_matches(name, here, n=1)
    hint = f"did you mean {close[0]!r}?" if close else "check its name, or go to its folder"
    return f"There is no module {name!r} in {Path.cwd()} or on the Python path: {hint}"


def broken(name: str, error: BaseException) -> Failure:
    """The failure of a module that raises when it is imported."""
    return Failure(
        f"The module {name!r} cannot be imported: {place_of(error)}. "
        f"Mend it and try again; its jobs stay in the queue"
    )


def refuse_namesake(module: ModuleType, file: Path) -> None:
    """Raise `Failure` if `module` was imported from another place than `file`."""
    found = getattr(module, "__file__", None)
    if found is None or not Path(found).samefile(file):
        raise Failure(
            f"{file.name} cannot be imported, for Python has another module named "
            f"{module.__name__!r} ({found or 'built in'}): rename the file",
            WRONG_USAGE,
        )


def place_of(error: BaseException) -> str:
    """The end of a traceback: `jobs.py, line 3: NameError: name 'Ap' is not defined`."""
    what = traceback.format_exception_only(error)[-1].strip()
    if isinstance(error, SyntaxError) and error.filename:
        return f"{short(error.filename)}, line {error.lineno}: {what}"
    if isinstance(error, SystemExit):
        what = f"it ends the process ({what}); guard that with `if __name__ == '__main__'`"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if is_code(frame)]
    if not frames:
        return what
    last = ([frame for frame in frames if is_own(frame)] or frames)[-1]
    return f"{short(last.filename)}, line {last.lineno}: {what}"


def is_code(frame: traceback.FrameSummary) -> bool:
    """Is the frame in the code that is imported?"""
    return not frame.filename.startswith("<frozen") and Path(frame.filename).parent not in IMPORTERS


def is_own(frame: traceback.FrameSummary) -> bool:
    """Is the frame in a file below the current folder, other than an installed package?"""
    path = Path(frame.filename)
    return Path.cwd() in path.parents and "site-packages" not in path.parts


def short(file: str) -> str:
    """The path relative to the current folder, if it is below."""
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if Path.cwd() in path.parents else file
