"""What the main process of a worker does with a message of ours, before a job runs and around it.

In a prefork pool the main process runs no job, but it alone hears of `revoke`, of a message that
has expired and of a time limit that has struck. It writes what that means to the store.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from celery import bootsteps
from celery.concurrency.base import BasePool
from celery.utils.imports import symbol_by_name
from celery.worker import state

from continuable.errors import JobNotFoundError, QueueError, StoreError
from continuable.progress.protocol import ProgressStore
from continuable.queues.celery.messages import HEADER
from continuable.queues.celery.telling import has_dependents, note_told

logger = logging.getLogger("continuable")

REVOKED, TERMINATED, EXPIRED = "revoked", "terminated", "expired"
"""Celery's words for why a task was revoked: the reasons of our cancelled jobs."""
REVOKED_EVERY = 1.0
"""Seconds between two looks whether a job that runs here was revoked."""

GetStore = Callable[[], ProgressStore]


def cancel(store: ProgressStore, job_id: str, reason: str) -> bool:
    """Cancel a job that Celery has revoked, unless it has ended; False: the store is away."""
    try:
        store.request(job_id, "cancel", reason=reason)
    except StoreError as error:
        logger.warning("Job %s is %s, but cannot be cancelled: %s", job_id, reason, error)
        return False
    except QueueError:  # not known, or at its end already
        logger.debug("Task %s was revoked and is no job that can be cancelled", job_id)
    return True


Mixin: Any = object


class JobRequest(Mixin):  # type: ignore[misc]
    """Mixed into Celery's own class: what is different for a task that is a job."""

    get_store: GetStore

    def maybe_expire(self) -> Any:
        """`expires` said when the job is to start: one that has begun does not expire."""
        return not (self._is_past() and self._has_begun()) and super().maybe_expire()

    def terminate(self, pool: Any, signal: Any = None) -> None:
        """Tell the store before the signal comes: the job is to be cancelled, not resumed."""
        store = self.get_store()
        cancel(store, self.id, TERMINATED)
        if getattr(pool.terminate_job, "__func__", None) is BasePool.terminate_job:
            logger.info("This pool cannot end a job by force: %s ends at a checkpoint", self.id)
            return
        if self.time_start and has_dependents(self.task, self._context):
            note_told(store, self.id)  # below, and not by the process of the job
        super().terminate(pool, signal)

    def on_timeout(self, soft: bool, timeout: float) -> None:  # noqa: FBT001 - Celery's signature
        """A job that is killed at its hard time limit has not failed: it resumes."""
        if soft or not self.task.acks_late or self.task.acks_on_timeout:
            super().on_timeout(soft, timeout)
        else:
            logger.warning("Hard time limit (%s s) exceeded for job %s", timeout, self.id)
            state.task_ready(self)
            self.reject(requeue=True)

    def _is_past(self) -> bool:
        expires: datetime = self.expires  # asked of a message that has one
        return datetime.now(UTC if expires.tzinfo else None) > expires

    def _has_begun(self) -> bool:
        if json.loads(self.request_dict.get(HEADER) or "{}").get("executions"):
            return True
        try:
            return self.get_store().find(self.id).executions > 0
        except JobNotFoundError:
            return False
        except StoreError:
            return True  # it is asked again when it runs
        except QueueError:  # there is no store
            return False


def request_class(base: Any, get_store: GetStore) -> type:
    """The class of Celery's requests for our tasks; `base` is the one that they would have."""
    parents = (JobRequest, symbol_by_name(base))
    return type("JobRequest", parents, {"get_store": staticmethod(get_store)})


def revoked_step(get_store: GetStore, is_ours: Callable[[str], bool]) -> type:
    """A bootstep that cancels those running jobs that are revoked: Celery itself does nothing."""

    class RevokedStep(bootsteps.StartStopStep):  # type: ignore[misc]
        # Of two steps of one name Celery starts one, and a Celery app may have two queues of ours.
        name = f"{__name__}.RevokedStep-{id(get_store)}"
        requires = ("celery.worker.consumer:Tasks",)

        def __init__(self, parent: Any, **options: Any) -> None:
            super().__init__(parent, **options)
            self._timer: Any = None
            self._told: set[str] = set()

        def start(self, parent: Any) -> None:
            self._timer = parent.timer.call_repeatedly(REVOKED_EVERY, self.look)

        def stop(self, parent: Any) -> None:  # noqa: ARG002 - Celery's signature
            if self._timer is not None:
                self._timer.cancel()
            self._timer = None

        def look(self) -> None:
            """Cancel what is revoked, once."""
            if not state.revoked:
                return
            running = {r.id for r in tuple(state.active_requests) if is_ours(r.task.name)}
            found = {job_id for job_id in running if job_id in state.revoked}
            told = found & self._told
            told |= {id_ for id_ in found - told if cancel(get_store(), id_, REVOKED)}
            self._told = told

    return RevokedStep
