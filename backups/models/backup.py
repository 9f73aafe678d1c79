"""Backups: one point in time of one resource."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q

from backups.models.resource import Resource
from portal.models import User
from portal.permissions import Person, visible
from portal.roles import Permission


class BackupStatus(models.TextChoices):
    """How far the taking of a backup is."""

    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    FINISHED = "finished", "Finished"
    FAILED = "failed", "Failed"


class BackupOrigin(models.TextChoices):
    """What caused it."""

    SCHEDULED = "scheduled", "Daily"
    REQUESTED = "requested", "On request"
    FIRST = "first", "First backup"
    FINAL = "final", "Final, before the removal"
    REPLACING = "replacing", "In place of a damaged one"


OPEN = (BackupStatus.QUEUED, BackupStatus.RUNNING)

_GOOD = Q(status=BackupStatus.FINISHED, damaged_at__isnull=True, deleted_at__isnull=True)


class BackupQuerySet(models.QuerySet["Backup"]):
    """Questions about backups."""

    def visible_to(self, user: Person) -> Self:
        """Those of resources that the person may see."""
        return self.filter(visible(user, Permission.VIEW_RESOURCES, "resource__application__client"))

    def good(self) -> Self:
        """Finished, with a stored size and checksum, not found damaged, not deleted."""
        return self.filter(_GOOD)

    def open(self) -> Self:
        """Queued or running."""
        return self.filter(status__in=OPEN)

    def worth_listing(self, failed_after: datetime) -> Self:
        """What is stored or being taken, and what failed since that moment: without what is long over."""
        return self.filter(
            Q(status__in=OPEN)
            | Q(status=BackupStatus.FINISHED, deleted_at__isnull=True)
            | Q(status=BackupStatus.FAILED, finished_at__gt=failed_after)
        )

    def stored(self) -> Self:
        """Finished, and not every copy of it deleted: what retention and the audit look at."""
        return self.filter(status=BackupStatus.FINISHED, deleted_at__isnull=True)


class Backup(models.Model):
    """One backup. Made by workers; people never edit it. Times are UTC, sizes bytes."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    resource = models.ForeignKey(Resource, models.PROTECT, related_name="backups")
    status = models.CharField(max_length=10, choices=BackupStatus.choices, default=BackupStatus.QUEUED)
    origin = models.CharField(max_length=10, choices=BackupOrigin.choices)
    requested_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    reason = models.TextField(blank=True)

    queued_at = models.DateTimeField()
    resend_at = models.DateTimeField(help_text="When the sweeper hands it over again if nobody claimed it.")
    taken_at = models.DateTimeField(null=True, help_text="The point in time that it holds.")
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    progress_at = models.DateTimeField(null=True, help_text="When it last got further.")
    finished_at = models.DateTimeField(null=True)
    wakes_at = models.DateTimeField(null=True, help_text="When the provider is asked again how far it is.")
    waits_for = models.CharField(max_length=300, blank=True, db_default="", help_text="What the provider is doing.")
    bytes_done = models.BigIntegerField(default=0)
    bytes_expected = models.BigIntegerField(null=True)

    error = models.TextField(blank=True, help_text="What went wrong, in a sentence for people.")
    error_detail = models.TextField(blank=True, help_text="The technical part, for IT.")
    worth_retrying = models.BooleanField(default=False, db_default=False, help_text="Whether the failure may pass.")

    source_bytes = models.BigIntegerField(null=True, help_text="Before compression.")
    stored_bytes = models.BigIntegerField(null=True)
    checksum = models.CharField(max_length=64, blank=True, help_text="SHA-256 of what is stored, hexadecimal.")
    artefact = models.JSONField(default=dict, help_text="StoredArtefactInfo: sizes and checksums of its parts.")
    summary = models.JSONField(default=dict, help_text="What is in it: {noun: count}.")
    warnings = models.JSONField(default=list, help_text="Sentences the driver wants read.")
    damaged_at = models.DateTimeField(null=True)
    damage = models.TextField(blank=True)
    deleted_at = models.DateTimeField(null=True, help_text="When its last copy was deleted.")

    objects = BackupQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["resource"], condition=Q(status__in=OPEN), name="backup_one_open_per_resource"
            ),
            models.CheckConstraint(
                name="backup_finished_has_its_facts",
                condition=~Q(status="finished")
                | (
                    Q(taken_at__isnull=False, finished_at__isnull=False, stored_bytes__gt=0, source_bytes__isnull=False)
                    & ~Q(checksum="")
                ),
            ),
            models.CheckConstraint(
                name="backup_failed_says_why",
                condition=~Q(status="failed") | (Q(finished_at__isnull=False) & ~Q(error="")),
            ),
            models.CheckConstraint(
                name="backup_waits_while_running", condition=Q(wakes_at__isnull=True) | Q(status="running")
            ),
            models.CheckConstraint(
                name="backup_running_has_started", condition=~Q(status="running") | Q(started_at__isnull=False)
            ),
        ]
        indexes = [
            models.Index(fields=["resource", "-taken_at"], name="backup_of_resource_by_time"),
            models.Index(fields=["status", "resend_at"], name="backup_by_status"),
            models.Index(fields=["wakes_at"], condition=Q(wakes_at__isnull=False), name="backup_waiting"),
            models.Index(
                fields=["resource", "taken_at"],
                condition=Q(status="finished", deleted_at__isnull=True),
                name="backup_stored",
            ),
        ]

    def __str__(self) -> str:
        return f"backup {self.pk} of {self.resource_id}"

    @property
    def is_good(self) -> bool:
        """Whether it may fill a slot and be restored."""
        return self.status == BackupStatus.FINISHED and self.damaged_at is None and self.deleted_at is None

    @property
    def is_open(self) -> bool:
        """Whether it is still being taken."""
        return self.status in OPEN

    @property
    def prefix(self) -> str:
        """Where its artefact is written in the home region's store."""
        return f"{self.resource.uid}/{self.uid}"
