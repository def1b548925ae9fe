"""Where a running job attends to what is wanted of it: stop, save, or stop for good."""

from __future__ import annotations

import threading
from operator import index
from typing import TYPE_CHECKING, Any, NoReturn

from continuable.core.attention import Attention
from continuable.core.cursor import is_scalar
from continuable.core.interrupt import STOPPING, Interrupt, Superseded
from continuable.core.recorder import Recorder
from continuable.errors import CheckpointError

if TYPE_CHECKING:
    from continuable.core.continuation import Continuation
    from continuable.core.position import Position


class Checkpoints:
    """The checkpoints of one execution. Made by the thread that runs the job."""

    def __init__(self, attention: Attention, recorder: Recorder) -> None:
        self.attention = attention
        self._recorder = recorder
        self._owner = threading.get_ident()
        self._interruption: tuple[str, str] | None = None
        # Whether a transaction of the user's may be open: then each checkpoint looks.
        self._minds_transaction = False
        self._open_blocks = 0
        self.continuation: Continuation
        """Given once it has been read from the progress."""

    def check(self) -> None:
        """A checkpoint: go on, or raise `Interrupt`."""
        if self.attention.raised or self._minds_transaction:
            self._attend()

    def interrupt(self, reason: str, detail: str = "") -> NoReturn:
        """Leave the job here, and again wherever it goes on all the same."""
        self._interruption = (reason, detail)
        raise Interrupt(reason, detail)

    def adopt(self) -> None:
        """The job has ended, and this thread writes that down; it may be another one."""
        self._owner = threading.get_ident()

    def reraise_interrupt(self) -> None:
        """Raise the interrupt again if the job has swallowed it."""
        if self.attention.is_superseded:
            raise Superseded
        if self._interruption is not None:
            raise Interrupt(*self._interruption)

    def save_between_steps(self, progress: str) -> None:
        """Keep the progress between two steps before the next one begins."""
        self.attention.is_save_due = False
        self._recorder.save(progress, is_border=True)

    async def asave_between_steps(self, progress: str) -> None:
        """The same in an `async def` job."""
        self.attention.is_save_due = False
        await self._recorder.asave(progress)

    def settle(self, step: Position[Any], cursor: Any, items: int = 0) -> None:
        """Move `step` to a cursor that needs a look, or that comes while a flag is set."""
        kind = type(cursor)
        is_settled = is_scalar(kind)
        if not is_settled:
            step.plain_cursor(cursor)
        self.forbid_open_transaction("A checkpoint")
        step._cursor = cursor
        step._done += items
        # Only a change of type needs a look from now on. Before the flag is read: see Attention.
        step._settled = kind if is_settled else None
        self.check()

    def commit(self, step: Position[Any], cursor: Any, connection: Any, items: int) -> None:
        """Move `step` to `cursor` inside the transaction that is open on `connection`."""
        step.plain_cursor(cursor)
        if self.attention.is_superseded:
            raise Superseded
        self.confirm_commit()
        now, unsure = (step._cursor, step._done), step._before_commit
        step._cursor, step._done, step._before_commit = cursor, step._done + index(items), None
        try:
            self._recorder.commit(self.continuation.to_json(), connection)
        except BaseException as error:
            step._cursor, step._done = now
            step._before_commit = unsure
            if isinstance(error, Superseded):
                self.attention.supersede()
            raise
        # Where the last commit was in this same transaction, both are rolled back with it.
        step._before_commit = unsure or now
        step._settled = None
        self._minds_transaction = True

    def enter_transaction(self) -> None:
        """A `with step.transaction(...)` block begins."""
        self._open_blocks += 1
        self._minds_transaction = True
        if self.continuation.running is not None:
            self.continuation.running._settled = None

    def leave_transaction(self, *, is_committed: bool) -> None:
        """The block ended. If it committed, the pending cursor is final; else ask the store."""
        self._open_blocks -= 1
        current = self.continuation.current
        if is_committed and current is not None:
            current._before_commit = None
        self._minds_transaction = self._open_blocks > 0 or self._has_unconfirmed_commit
        self.confirm_commit()

    def confirm_commit(self) -> None:
        """Ask the store whether the last commit is final, rolled back, or still open."""
        step = self.continuation.current
        if step is None or step._before_commit is None or not self._is_owner:
            return
        if not self._recorder.is_committed():
            if self._recorder.is_in_transaction():
                return
            step._cursor, step._done = step._before_commit
            step._settled = None
        step._before_commit = None
        self._minds_transaction = self._open_blocks > 0

    def forbid_open_transaction(self, what: str) -> None:
        """`CheckpointError` inside a transaction of the user's, where one can be seen."""
        if not self._is_owner:
            return
        if self._minds_transaction:
            self.confirm_commit()
        if self._minds_transaction or self._recorder.is_in_transaction():
            message = (
                f"{what} inside an open transaction: an interrupt here would roll back rows "
                f"that the cursor has counted. Commit first, then checkpoint "
                f"(or use `with step.transaction(connection)`)"
            )
            raise CheckpointError(message)

    def note(self, event: str, data: dict[str, Any]) -> None:
        """Add an entry to the job's history."""
        self._recorder.note(event, data)

    def _attend(self) -> None:
        attention, step = self.attention, self.continuation.running
        if not self._is_owner:
            # Left for the next checkpoint of the thread that runs the job.
            if step is not None:
                step._settled = None
            return
        self.reraise_interrupt()
        reason = attention.attend()
        if attention.is_superseded:
            raise Superseded
        self.forbid_open_transaction("A checkpoint")
        if reason:
            self.interrupt(STOPPING if reason is True else reason)
        if attention.is_save_due:
            attention.is_save_due = False
            self._recorder.save(self.continuation.to_json(), is_border=False)
        if attention.raised and step is not None:
            step._settled = None

    @property
    def _has_unconfirmed_commit(self) -> bool:
        current = self.continuation.current
        return current is not None and current._before_commit is not None

    @property
    def _is_owner(self) -> bool:
        return threading.get_ident() == self._owner
