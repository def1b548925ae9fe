"""The event loop of a worker process, on a thread of its own, for its `async def` jobs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import CancelledError, Future, InvalidStateError
from typing import Any, TypeVar

from continuable.events.log import try_to_log

T = TypeVar("T")

CLOSING_WAIT = 5.0
"""Seconds that tasks have to end once they are cancelled, before their loop is closed."""

Finished = tuple[Any, BaseException | None]
"""What a coroutine returned, or raised."""


class LoopEndedError(RuntimeError):
    """The event loop ended before the coroutine did."""


class EventLoop:
    """Started by the first coroutine that is run on it, and replaced where it has ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._serving: _Serving | None = None

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run `coroutine` beside the others that run here; blocks this thread until its end.

        Raises what the coroutine raises, and `LoopEndedError` where its loop was lost.
        """
        with self._lock:
            if self._serving is None or self._serving.has_ended:
                self._serving = _Serving()
            serving = self._serving
        value, error = serving.result(caught(coroutine))
        if error is not None:
            raise error
        result: T = value
        return result

    def stop(self) -> None:
        """End the loop, once nothing runs on it."""
        with self._lock:
            serving, self._serving = self._serving, None
        if serving is not None:
            serving.stop()


class _Serving:
    """One event loop and its thread, from the start to the end of both."""

    def __init__(self) -> None:
        self.has_ended = False
        self._is_told_to_stop = False
        self._lock = threading.Lock()
        self._waiting: set[Future[Finished]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="continuable-loop", daemon=True)
        self._thread.start()

    def result(self, coroutine: Coroutine[Any, Any, Finished]) -> Finished:
        """Run `coroutine` on the loop, and wait for its end."""
        with self._lock:
            if self.has_ended or self._loop.is_closed():
                coroutine.close()
                raise LoopEndedError
            future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
            self._waiting.add(future)
        try:
            return future.result()
        except CancelledError:
            if self.has_ended:
                raise LoopEndedError from None
            raise
        finally:
            self._waiting.discard(future)

    def stop(self) -> None:
        self._is_told_to_stop = True
        with contextlib.suppress(RuntimeError):  # it has ended already
            self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            while not self._is_told_to_stop and not self._loop.is_closed():
                self._run_on()
        except BaseException:  # noqa: BLE001 - a job may have broken it: the next one gets another
            try_to_log(logging.ERROR, "The event loop of the jobs is replaced", exc_info=True)
        finally:
            with self._lock:
                self.has_ended = True
            _close(self._loop)
            for future in list(self._waiting):
                with contextlib.suppress(InvalidStateError):
                    future.set_exception(LoopEndedError())

    def _run_on(self) -> None:
        """Run until the loop is stopped, which a job may do as well."""
        try:
            self._loop.run_forever()
        except (SystemExit, KeyboardInterrupt):
            # asyncio lets these out of the loop. The task tells the one that awaits it.
            try_to_log(
                logging.WARNING,
                "A task on the event loop of the jobs tried to end it, and the loop goes on",
                exc_info=True,
            )


def _close(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel the tasks that are left on `loop`, and close it even if one of them raises."""
    if loop.is_closed():
        return
    until = time.monotonic() + CLOSING_WAIT
    for task in asyncio.all_tasks(loop):
        task.cancel()
    while (left := asyncio.all_tasks(loop)) and time.monotonic() < until:
        with contextlib.suppress(BaseException):  # a task may raise SystemExit
            loop.run_until_complete(asyncio.wait(left, timeout=until - time.monotonic()))
    for closing in (loop.shutdown_asyncgens, loop.shutdown_default_executor):
        with contextlib.suppress(BaseException):
            loop.run_until_complete(closing())
    with contextlib.suppress(BaseException):
        loop.close()


async def caught(coroutine: Coroutine[Any, Any, T]) -> tuple[T | None, BaseException | None]:
    """What `coroutine` returns or raises: a KeyboardInterrupt of one job must not end the loop."""
    try:
        return await coroutine, None
    except asyncio.CancelledError:
        raise
    except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
        return None, error
