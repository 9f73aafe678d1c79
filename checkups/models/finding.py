"""Findings of a checkup: one per resource in its scope."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q

from backups.models import Resource
from checkups.models.checkup import Checkup
from portal.permissions import Person, has_permission, visible
from portal.roles import Permission


class FindingStatus(models.TextChoices):
    """What was found. It follows from the checks."""

    WAITING = "waiting", "Waiting"
    PASSED = "passed", "Passed"
    FAILED = "failed", "Failed"
    LEFT = "left", "Not checked"


class CheckupFindingQuerySet(models.QuerySet["CheckupFinding"]):
    """Questions about findings."""

    def visible_to(self, user: Person) -> Self:
        """Those of clients whose checkups the person may see, once they are signed; company-wide: all.

        The client is the one of then: whoever takes over an application does not read what was found before.
        """
        found = self.filter(visible(user, Permission.VIEW_CHECKUPS, "client_ref"))
        if has_permission(user, Permission.VIEW_CHECKUPS, None):
            return found
        return found.filter(checkup__sealed_at__isnull=False)


class CheckupFinding(models.Model):
    """What a checkup found about one resource. The resource's facts are written down as they were when it started.

    A failed one is a task for its owner: what to do next, until when.
    """

    checkup = models.ForeignKey(Checkup, models.PROTECT, related_name="findings")
    resource = models.ForeignKey(Resource, models.PROTECT, related_name="checkup_findings")
    name = models.CharField(max_length=63)
    client = models.CharField(max_length=200)
    client_ref = models.PositiveBigIntegerField(help_text="The client's id, for its own part of the record.")
    application = models.CharField(max_length=200)
    kind = models.CharField(max_length=20)
    environment = models.CharField(max_length=20)
    removed = models.BooleanField(default=False, help_text="Whether it was removed, and a backup of it is kept.")
    sampled = models.BooleanField(default=True, help_text="Whether its backups are restored.")
    why_not_restored = models.TextField(blank=True, help_text="Why they are not, where they are not.")
    status = models.CharField(max_length=8, choices=FindingStatus.choices, default=FindingStatus.WAITING)
    sentence = models.TextField(blank=True, help_text="What was found, in words.")
    failed_at = models.DateTimeField(null=True, help_text="When it first failed; it stays, whatever comes after.")

    objects = CheckupFindingQuerySet.as_manager()

    class Meta:
        ordering = ["client", "name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["checkup", "resource"], name="checkupfinding_once"),
            models.CheckConstraint(
                name="checkupfinding_failed_says_when", condition=~Q(status="failed") | Q(failed_at__isnull=False)
            ),
            models.CheckConstraint(
                name="checkupfinding_not_restored_says_why", condition=Q(sampled=True) | ~Q(why_not_restored="")
            ),
        ]
        indexes = [
            models.Index(fields=["checkup", "status", "id"], name="checkupfinding_by_status"),
            models.Index(fields=["checkup", "client", "name", "id"], name="checkupfinding_by_client"),
        ]

    def __str__(self) -> str:
        return f"{self.name} in checkup {self.checkup_id}"
