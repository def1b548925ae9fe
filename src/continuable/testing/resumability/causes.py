"""The usual causes, each in a sentence or two that says what to do."""

from __future__ import annotations

from typing import Final

OUTSIDE: Final = (
    "a side effect outside a step. What stands between the steps runs again at every resume: "
    "make it a step of its own."
)
CURSOR_FIRST: Final = (
    "the cursor is advanced before the effect. An interruption comes when the cursor moves, and "
    "then what is behind it is taken for done: do the work first, then move the cursor."
)
NOT_IDEMPOTENT: Final = (
    "an effect that is not idempotent. A process can die between the effect and the checkpoint "
    "that counts it, so that it is done again: write it so that twice is as good as once (an "
    "upsert, a key), or together with the cursor: step.commit(cursor, connection)."
)
LOCAL_VARIABLE: Final = (
    "state in a local variable across steps. A resume begins with fresh variables and skips "
    "what is completed: return the value from its step, or keep it in job.state."
)
NOT_WRITTEN: Final = (
    "state in a local variable, or in an open transaction, while the cursor moves on. A resume "
    "begins at the cursor without it: write or commit it before the cursor moves, or keep it in "
    "job.state."
)
AT_THE_END: Final = (
    "work done after the last checkpoint. If the process dies before its end is known, all that "
    "stands behind the last step is done again: make it a step."
)
ORDER: Final = (
    "the order of steps depends on something that changed between the executions. The steps "
    "must come in the same order on every run: decide inside a step, and keep its value."
)
NOT_COUNTED: Final = (
    "work that no cursor counts. A resume runs the step's function from its top, and the cursor "
    "is all it knows of what is done: make that work a step of its own, move the cursor with it, "
    "or make it idempotent."
)
SWALLOWED: Final = (
    "a bare `except:` or `except BaseException` around a checkpoint. It takes interruptions for "
    "errors and goes on: catch `Exception`."
)
ENDLESS: Final = (
    "the job interrupts itself again wherever it is resumed, and never comes any further: move "
    "the cursor, or complete a step, before job.interrupt(...)."
)
NAMED_BY_ERROR: Final = "as the error says."
