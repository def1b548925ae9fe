"""A process that a job has forked ends where it leaves the job: a child is never a worker."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Coroutine
from typing import Any, NoReturn

from continuable.core.outcome import Failed, Outcome, Suspended
from continuable.core.report import report_of


def leave_if_forked(outcome: Outcome, process: int) -> Outcome:
    """`outcome`, in the process that has started the job; any other one ends here.

    It was about to settle its parent's job. Its exit code is that of `sys.exit`, 1 after another
    exception, which is printed, and 0 where the job function has returned.
    """
    if os.getpid() != process:
        match outcome:
            case Failed(error=error) | Suspended(exception=error):
                _exit(_exit_code(error))
        _exit(0)
    return outcome


async def aleave_if_forked(running: Coroutine[Any, Any, Outcome], process: int) -> Outcome:
    """The same for what runs on an event loop, of which the child has a copy."""
    try:
        return leave_if_forked(await running, process)
    except BaseException as error:
        if os.getpid() != process:
            _exit(_exit_code(error))
        raise


def _exit(code: int) -> NoReturn:
    with contextlib.suppress(BaseException):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _exit_code(error: BaseException | None) -> int:
    if isinstance(error, SystemExit):
        code = error.code
        if code is None or isinstance(code, int):
            return code or 0
        text = f"{code}\n"
    else:
        text = "" if error is None else report_of(error).traceback
    with contextlib.suppress(BaseException):
        sys.stderr.write(text)
    return 1
