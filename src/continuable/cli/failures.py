"""Errors as people read them: one sentence that says what to do, and an exit code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from continuable.errors import ContinuationError, JobNotFoundError, QueueError

FAILED = 1
WRONG_USAGE = 2
NOT_FOUND = 3
CTRL_C = 130


class Failure(click.ClickException):
    """The end of a verb: a sentence on stderr, and an exit code."""

    def __init__(self, message: str, exit_code: int = FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # click looks at the instance


@contextmanager
def in_sentences() -> Iterator[None]:
    """Turn the errors that users can mend into a `Failure`, and Ctrl-C into its exit code."""
    try:
        yield
    except KeyboardInterrupt:
        raise click.exceptions.Exit(CTRL_C) from None
    except JobNotFoundError as error:
        raise Failure(str(error), NOT_FOUND) from error
    except (QueueError, ContinuationError) as error:
        raise Failure(str(error)) from error
    except BrokenPipeError:
        raise  # the reader of the pipe has left: click exits with 1
    except OSError as error:
        raise Failure(f"{error}: check that the path exists and who may use it") from error
