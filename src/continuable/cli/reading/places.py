"""Where an error came from, in a line: what a traceback says at its end."""

from __future__ import annotations

import traceback
from pathlib import Path


def place_of(error: BaseException) -> str:
    """`jobs.py, line 3: NameError: name 'Ap' is not defined`."""
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
    """Whether a frame is the user's: neither Python's import machinery nor ours."""
    name = frame.filename
    return not (
        name.startswith("<frozen")
        or Path(name).parent == Path(__file__).parent
        or name == __import__("importlib").__file__
    )


def is_own(frame: traceback.FrameSummary) -> bool:
    """Whether a frame is of the code in this folder, and not of a library installed there."""
    path = Path(frame.filename)
    return Path.cwd() in path.parents and "site-packages" not in path.parts


def short(file: str) -> str:
    """The path as seen from here, where it is below."""
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if Path.cwd() in path.parents else file
