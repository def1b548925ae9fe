"""Jobs in the admin: to be looked at, and steered by those who may change them.

Nothing is edited there. The actions ask the app that the setting `CONTINUABLE_APP` names, so that
its queue gets its messages; without one there are none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import localize
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.timezone import localtime

from continuable.django.configured import configured_app, needed_app, progress_alias
from continuable.django.models import History, Progress
from continuable.errors import QueueError

VERBS = {
    "pause": "Pause, at the next checkpoint",
    "resume": "Resume",
    "cancel": "Cancel, at the next checkpoint",
    "retry": "Retry, from the last checkpoint",
    "restart": "Restart, from the beginning",
    "discard": "Discard, with progress and history",
}
"""What may be asked of jobs, as the methods of their handles."""
NOTHING = "-"


def asking(verb: str, words: str) -> Callable[[Any, HttpRequest, QuerySet[Progress]], None]:
    """The action that asks `verb` of each job, and says what has become of it."""

    @admin.action(description=words, permissions=["discard" if verb == "discard" else "steer"])
    def ask(_admin: Any, request: HttpRequest, jobs: QuerySet[Progress]) -> None:
        app = needed_app()
        asked = 0
        for job_id in jobs.values_list("id", flat=True):
            try:
                getattr(app.handle(job_id), verb)()
                asked += 1
            except QueueError as error:
                messages.error(request, str(error))
        if asked:
            messages.success(request, f"{verb}: {asked} job{'s' if asked > 1 else ''}")

    ask.__name__ = verb
    return ask


@admin.register(Progress)
class JobAdmin(admin.ModelAdmin):
    """The jobs of a project."""

    list_display = ("id", "name", "state", "bar", "step", "queue", "resumptions", "age")
    list_filter = ("state", "name", "queue")
    search_fields = ("=id", "name")
    ordering = ("-enqueued_at",)
    list_per_page = 50
    actions = tuple(asking(verb, words) for verb, words in VERBS.items())
    show_full_result_count = False  # which counts a large table at every look
    fieldsets = (
        (None, {"fields": ("name", "state", "reason", "bar", "step", "cursor", "steps")}),
        ("Last error", {"fields": ("error", "folded_traceback")}),
        ("History", {"fields": ("history",)}),
        (
            "Job",
            {
                "fields": (
                    *("queue", "priority", "call", "result", "worker"),
                    *("executions", "resumptions", "deaths"),
                    *("enqueued", "started", "saved", "finished"),
                )
            },
        ),
    )

    # --- who may do what

    def has_add_permission(self, _request: HttpRequest) -> bool:
        """Jobs are enqueued by code."""
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """A row is its store's."""
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """`discard` is for that."""
        return False

    def has_steer_permission(self, request: HttpRequest) -> bool:
        """Who may change jobs may steer them, where an app is there to be asked."""
        return configured_app() is not None and request.user.has_perm("continuable.change_progress")

    def has_discard_permission(self, request: HttpRequest) -> bool:
        """Who may delete jobs may discard them."""
        return configured_app() is not None and request.user.has_perm("continuable.delete_progress")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Progress]:
        """The jobs of the database that the app's progress is in."""
        return super().get_queryset(request).using(progress_alias())

    # --- columns and fields

    @admin.display(description="progress")
    def bar(self, job: Progress) -> str | SafeString:
        """Items done in the step, and a bar where all are known."""
        info = job.info()
        if info.total is None:
            return f"{info.done:,}" if info.step else NOTHING
        bar = '<progress value="{}" max="{}"></progress> {} of {}'
        return format_html(bar, info.done, info.total, f"{info.done:,}", f"{info.total:,}")

    @admin.display
    def step(self, job: Progress) -> str:
        """The step that the job is in."""
        return job.info().step or NOTHING

    @admin.display
    def cursor(self, job: Progress) -> str:
        """Its cursor."""
        info = job.info()
        return NOTHING if info.step is None else json.dumps(info.cursor, ensure_ascii=False)

    @admin.display
    def steps(self, job: Progress) -> SafeString | str:
        """The steps that are completed, and the current one."""
        info = job.info()
        names = [*info.completed, *([f"{info.step} (current)"] if info.step else [])]
        return _lines((name,) for name in names)

    @admin.display(ordering="enqueued_at")
    def age(self, job: Progress) -> str:
        """The time since it was enqueued."""
        return timesince(_when(job.enqueued_at))

    @admin.display(description="arguments")
    def call(self, job: Progress) -> str:
        """The arguments, as they are kept."""
        return str(job.arguments)

    @admin.display(description="traceback")
    def folded_traceback(self, job: Progress) -> SafeString | str:
        """The traceback of the last error, to be unfolded."""
        if not job.traceback:
            return NOTHING
        folded = "<details><summary>Show</summary><pre>{}</pre></details>"
        return format_html(folded, job.traceback)

    @admin.display
    def history(self, job: Progress) -> SafeString | str:
        """What has happened to the job, the oldest first."""
        entries = History.objects.using(job._state.db).filter(job_id=job.id).order_by("entry")  # noqa: SLF001 - Django's own name for it
        return _lines((_moment(one.at), one.event, one.data) for one in entries)

    @admin.display
    def enqueued(self, job: Progress) -> str:
        """When it was enqueued."""
        return _moment(job.enqueued_at)

    @admin.display
    def started(self, job: Progress) -> str:
        """When it started first."""
        return _moment(job.started_at)

    @admin.display
    def saved(self, job: Progress) -> str:
        """When its progress was saved last."""
        return _moment(job.saved_at)

    @admin.display
    def finished(self, job: Progress) -> str:
        """When it ended."""
        return _moment(job.finished_at)


def _lines(rows: Iterable[tuple[str, ...]]) -> SafeString | str:
    """One line for each row, escaped."""
    lines = [(" ".join(row),) for row in rows]
    return format_html_join("", "<div>{}</div>", lines) if lines else NOTHING


def _when(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _moment(seconds: float | None) -> str:
    return NOTHING if seconds is None else str(localize(localtime(_when(seconds))))
