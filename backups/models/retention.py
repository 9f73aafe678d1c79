"""Retention runs: what was to be deleted, why, and what became of it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.urls import reverse

from backups.models.copy import Copy
from backups.models.resource import Resource
from portal.history import History
from portal.models import User


class RunStatus(models.TextChoices):
    """How far a run is."""

    APPLYING = "applying", "Deleting"
    STOPPED = "stopped", "Stopped"  # it would delete too much: a person of IT decides
    DONE = "done", "Done"
    REFUSED = "refused", "Refused"


OPEN_RUNS = (RunStatus.APPLYING, RunStatus.STOPPED)


class RetentionRun(models.Model):
    """One run of retention with its plan, which are its deletions. Without a resource it is the company's."""

    resource = models.ForeignKey(
        Resource, models.PROTECT, null=True, related_name="retention_runs", help_text="Whose removal it carries out."
    )
    status = models.CharField(max_length=10, choices=RunStatus.choices)
    planned_at = models.DateTimeField()
    copies_before = models.PositiveIntegerField(help_text="All copies that there were when it was planned.")
    to_delete = models.PositiveIntegerField()
    deleted_before = models.PositiveIntegerField(
        default=0, help_text="Copies deleted in the 24 hours before, which count against the limit as well."
    )
    limit_percent = models.PositiveSmallIntegerField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    reason = models.TextField(blank=True)
    finished_at = models.DateTimeField(null=True)

    history = History()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["resource"],
                condition=Q(status__in=["applying", "stopped"]),
                nulls_distinct=False,
                name="retention_one_open_run",
            ),
            models.CheckConstraint(
                name="retention_decided_by_someone_for_a_reason",
                condition=Q(decided_at__isnull=True, decided_by__isnull=True)
                | (Q(decided_at__isnull=False, decided_by__isnull=False) & ~Q(reason="")),
            ),
            models.CheckConstraint(
                name="retention_over_says_when",
                condition=~Q(status__in=["done", "refused"]) | Q(finished_at__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["-planned_at", "-id"], name="retention_newest")]

    def __str__(self) -> str:
        return f"retention run {self.pk}"

    def get_absolute_url(self) -> str:
        """The run's page."""
        return reverse("retention_run", args=[self.pk])

    @property
    def share_percent(self) -> float:
        """The share of all copies that would have gone within 24 hours, this run included."""
        whole = self.copies_before + self.deleted_before
        return 100 * (self.to_delete + self.deleted_before) / whole if whole else 0.0


class RetentionClock(models.Model):
    """One row: how far retention has come in time. See actions.belief."""

    only = models.BooleanField(default=True, editable=False, unique=True)
    reached_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(name="retention_clock_one_row", condition=Q(only=True))]

    def __str__(self) -> str:
        return f"retention has come to {self.reached_at}"


class DeletionStatus(models.TextChoices):
    """What became of one planned deletion."""

    PLANNED = "planned", "To be deleted"
    DELETED = "deleted", "Deleted"
    KEPT = "kept", "Kept after all"


class Deletion(models.Model):
    """One copy that a run deletes, and why. It is looked at again at the moment of deleting."""

    run = models.ForeignKey(RetentionRun, models.CASCADE, related_name="deletions")
    copy = models.ForeignKey(Copy, models.PROTECT, related_name="deletions")
    why = models.TextField()
    status = models.CharField(max_length=10, choices=DeletionStatus.choices, default=DeletionStatus.PLANNED)
    kept_because = models.TextField(blank=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "copy"], name="deletion_once_per_run"),
            models.CheckConstraint(
                name="deletion_done_says_when",
                condition=Q(status="planned", done_at__isnull=True) | (~Q(status="planned") & Q(done_at__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(fields=["run", "id"], condition=Q(status="planned"), name="deletion_planned"),
            models.Index(fields=["done_at"], condition=Q(status="deleted"), name="deletion_done"),
        ]

    def __str__(self) -> str:
        return f"deletion of copy {self.copy_id}"
