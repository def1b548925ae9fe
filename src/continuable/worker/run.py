"""A job that this process runs: its claim, what it has to attend to, what is to be saved."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from continuable.core.attention import Attention
from continuable.core.execution import Execution
from continuable.core.interrupt import CANCELLED, DIED, MAX_RUNTIME, PAUSED, Superseded
from continuable.errors import JobNotFoundError, StoreError
from continuable.events.emission import Emission
from continuable.model.states import State
from continuable.progress.lifecycle import has_advanced
from continuable.progress.protocol import Claim, Keeper, Note, Save
from continuable.progress.rowstore import HISTORY

logger = logging.getLogger("continuable")

SHORTEST_SAVE = 0.005
"""Seconds between two saves, however often they are wanted."""
UNREADABLE_PAUSE = 0.2
"""Seconds between two looks into a database that cannot be read."""
LOCK_WAIT_AT_BORDERS = 0.05
"""Seconds: it may be the job's own open transaction that holds the lock."""


Tell = Callable[[Callable[[], object]], object]


def at_once(work: Callable[[], object]) -> None:
    """Call `work` in this thread, which may wait for it."""
    work()


class RunningJob:
    """Between the thread that runs a job and the heartbeat: both sides meet here.

    To the execution it is the `Recorder`.

    Args:
        keeper: Where its progress is kept.
        claimed: The job.
        hand_over: Tells the heartbeat that there is something to write.
        save_every: Seconds between two saves.
        max_runtime: Seconds after which it is interrupted.
    """

    def __init__(
        self,
        keeper: Keeper,
        claimed: Claim,
        hand_over: Callable[[], object],
        *,
        save_every: float,
        max_runtime: float | None,
    ) -> None:
        now = time.monotonic()
        self.claimed = claimed
        self.attention = Attention()
        self.execution: Execution | None = None
        self.is_retried: Callable[[BaseException], bool] = lambda _error: False
        """Whether the job's engine runs it again after an error that the job does not retry."""
        self._keeper = keeper
        self._hand_over = hand_over
        self._save_every = max(save_every, SHORTEST_SAVE)
        self._save_due_at = now + save_every
        self._deadline = None if max_runtime is None else now + max_runtime
        self._reported_gap: float | None = None
        self._sequence = 0
        self._unwritten: Save | None = None
        self._has_saved_progress = False
        self._writing = threading.Lock()
        self._committed: Save | None = None
        self._connection: Any = None
        # A history keeps no more: those before them would be dropped there.
        self._notes: deque[Note] = deque(maxlen=HISTORY)
        self._pid = os.getpid()
        # Its worker has died: that counts against the job until it is seen to make progress, so
        # that the very first is written at once.
        self._saves_first_move = claimed.reason == DIED
        if self._saves_first_move:
            self.attention.request_save()

    def limit(self, seconds: float) -> None:
        """Interrupt it after `seconds` at the latest, as at the end of its own `max_runtime`."""
        deadline = time.monotonic() + seconds
        self._deadline = deadline if self._deadline is None else min(self._deadline, deadline)

    # --- for the job's thread

    def save(self, document: str, *, is_border: bool) -> None:
        """Hand `document` to the heartbeat; at a border, write it before the next step begins."""
        if self._is_in_child:
            return
        self._keep(document)
        if self._saves_first_move:
            is_border = True
            self._saves_first_move = not self._has_saved_progress
            if self._saves_first_move:
                self.attention.request_save()  # it has not moved yet
        if is_border:
            self._write_at_border()
        else:
            self._hand_over()

    async def asave(self, document: str) -> None:
        """Write `document` at a border in a thread, while the event loop goes on."""
        if self._is_in_child:
            return
        self._keep(document)
        await asyncio.to_thread(self._write_at_border)

    def _keep(self, document: str) -> None:
        self._sequence += 1
        self._unwritten = self._save(document)
        self._has_saved_progress = self._unwritten.made_progress

    def _write_at_border(self) -> None:
        # What fails here, the heartbeat tries again and reports.
        with contextlib.suppress(StoreError):
            self.write(timeout=LOCK_WAIT_AT_BORDERS)

    def commit(self, document: str, connection: Any) -> None:
        """Write `document` within the user's transaction."""
        if self._is_in_child:
            raise Superseded
        self._sequence += 1
        save = self._save(document)
        if not self._keeper.commit(connection, save, again=connection is self._connection):
            self.attention.supersede()
            raise Superseded
        self._committed, self._connection = save, connection

    def is_in_transaction(self) -> bool:
        """Whether a transaction of the user's is open, as far as the store can see."""
        return self._keeper.is_in_transaction(self._connection)

    def is_committed(self) -> bool:
        """What the table says of the last `commit`, once it can be read.

        A guess could redo what is done. The job's own rows are in the same file, so it could not
        go on without it anyway.
        """
        if self._committed is None:
            return False
        is_reported = False
        while True:
            try:
                return self._keeper.is_written(self._committed)
            except StoreError as error:
                if not is_reported:
                    is_reported = True
                    logger.error("Job %s waits: %s", self.claimed.id, error)  # noqa: TRY400
                time.sleep(UNREADABLE_PAUSE)

    def note(self, event: str, data: dict[str, Any]) -> None:
        """Hand an entry of the job's history to the heartbeat."""
        if self._is_in_child:
            return
        self._notes.append(Note.of(event, data))
        self._hand_over()

    def notes_left(self) -> list[Note]:
        """Notes that are not in the history yet: they are written with the end of the execution."""
        if not self._notes:
            return []
        with self._writing:
            notes = list(self._notes)
            self._notes.clear()
            return notes

    @property
    def _is_in_child(self) -> bool:
        """Whether the job has forked this process: its copy of the job has no claim."""
        return os.getpid() != self._pid

    # --- for the heartbeat

    def attend_to_time(self, now: float) -> None:
        """Raise the flag for a save or for the end of the time that an execution may take."""
        if now >= self._save_due_at:
            self._save_due_at = now + self._save_every
            self.attention.request_save()
        if self._deadline is not None and now >= self._deadline:
            self._deadline = None
            self.attention.interrupt(MAX_RUNTIME)

    def next_due(self) -> float:
        """When `attend_to_time` has something to do next (monotonic seconds)."""
        if self._deadline is None:
            return self._save_due_at
        return min(self._save_due_at, self._deadline)

    def obey(self, control: tuple[int, State] | None) -> None:
        """Take what the table says of the job: its fence and what is wanted of it."""
        if control is None or control[0] != self.claimed.fence:
            self.attention.supersede()
        elif control[1] is State.PAUSING:
            self.attention.interrupt(PAUSED)
        elif control[1] is State.CANCELLING:
            self.attention.interrupt(CANCELLED)
        else:
            self.attention.unpause()

    @property
    def is_unwritten(self) -> bool:
        """Whether `write` has something to do."""
        return self._unwritten is not None or bool(self._notes)

    def write(self, timeout: float, tell: Tell = at_once) -> None:
        """Write what is not written yet. `StoreError` if that fails: it stays to be written.

        `tell`: calls the subscribers of events.
        """
        if not self.is_unwritten:
            return
        if not self._writing.acquire(timeout=timeout):
            return  # the other side is at it
        try:
            while self._notes:
                note = self._notes[0]
                self._keeper.note(self.claimed.id, note, timeout)
                with contextlib.suppress(ValueError):  # a newer one has just taken its place
                    self._notes.remove(note)
            save = self._unwritten
            if save is None:
                return
            is_taken_away = bool(self._keeper.save([save], timeout=timeout))
            if self._unwritten is save:
                self._unwritten = None
        except JobNotFoundError:
            is_taken_away = True
        finally:
            self._writing.release()
        if is_taken_away:
            self.attention.supersede()
        elif save is not None:
            self._tell_saved(save, tell)

    def tell_if_overdue(self, grace: float, now: float, tell: Tell = at_once) -> None:
        """Emit `checkpoint.overdue`, once a gap, if nobody attends for longer than `grace`."""
        raised_at, execution = self.attention.raised_at, self.execution
        if raised_at is None or execution is None or raised_at == self._reported_gap:
            return
        if now - raised_at > grace:
            self._reported_gap = raised_at
            self.attention.longest_gap = max(self.attention.longest_gap, now - raised_at)
            emission = Emission(execution.definition.events, execution.record)
            if emission.wants("checkpoint.overdue"):
                step, seconds = execution.step, now - raised_at
                tell(partial(emission.emit, "checkpoint.overdue", step=step, seconds=seconds))

    def _save(self, document: str) -> Save:
        claimed = self.claimed
        made_progress = self._has_saved_progress or has_advanced(claimed.progress, document)
        return Save(
            claimed.id, claimed.fence, claimed.worker, self._sequence, document, made_progress
        )

    def _tell_saved(self, save: Save, tell: Tell) -> None:
        execution = self.execution
        if execution is None:
            return
        emission = Emission(execution.definition.events, execution.record)
        if emission.wants("progress.saved"):
            current = json.loads(save.document).get("current")
            cursor, size = current and current[1], len(save.document.encode())
            tell(partial(emission.emit, "progress.saved", cursor=cursor, bytes=size))
