"""The tables of `DjangoProgress`, as models: to be migrated, and looked at in the admin."""

from __future__ import annotations

from django.db import models

from continuable.model.info import JobInfo
from continuable.progress.row import COLUMNS, row_of


class Progress(models.Model):
    """One job. Times are seconds since the epoch, on the database's own clock."""

    id = models.CharField(primary_key=True, max_length=191)
    name = models.CharField(max_length=255)
    queue = models.CharField(max_length=255, null=True)
    priority = models.IntegerField()
    arguments = models.TextField()
    progress = models.TextField()
    state = models.CharField(max_length=16)
    worker = models.CharField(max_length=255, null=True, db_index=True)
    ended_by = models.CharField(max_length=255, null=True)
    lease_until = models.FloatField(null=True, db_index=True)
    fence = models.IntegerField()
    sequence = models.BigIntegerField()
    delivery = models.IntegerField()
    issued = models.IntegerField()
    executions = models.IntegerField()
    resumptions = models.IntegerField()
    failures = models.IntegerField()
    deaths = models.IntegerField()
    enqueued_at = models.FloatField(db_index=True)
    run_at = models.FloatField(null=True)
    started_at = models.FloatField(null=True)
    saved_at = models.FloatField(null=True)
    finished_at = models.FloatField(null=True, db_index=True)
    longest_gap = models.FloatField()
    reason = models.TextField(null=True)
    error = models.TextField(null=True)
    traceback = models.TextField(null=True)
    result = models.TextField(null=True)
    envelope = models.TextField(null=True)

    class Meta:
        """One table."""

        db_table = "continuable_progress"
        verbose_name = "job"
        indexes = (models.Index(fields=["state", "enqueued_at"], name="continuable_state"),)

    def __str__(self) -> str:
        return f"{self.name} {self.id}: {self.state}"

    def info(self) -> JobInfo:
        """The job as handles and the command line show it."""
        return row_of({name: getattr(self, name) for name in COLUMNS}).info()


class History(models.Model):
    """Something worth telling that has happened to a job."""

    entry = models.BigAutoField(primary_key=True)
    job_id = models.CharField(max_length=191)
    at = models.FloatField()
    event = models.CharField(max_length=64)
    data = models.TextField()

    class Meta:
        """One table."""

        db_table = "continuable_progress_history"
        verbose_name_plural = "history"
        indexes = (models.Index(fields=["job_id", "entry"], name="continuable_history"),)

    def __str__(self) -> str:
        return f"{self.job_id}: {self.event}"
