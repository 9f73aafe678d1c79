"""Holds: somebody's word that a backup stays, until a day."""

from __future__ import annotations

from datetime import date
from typing import Self

from django.db import models
from django.db.models import Q

from backups.models.backup import Backup
from portal.history import History
from portal.models import User
from portal.permissions import Person, visible
from portal.roles import Permission


class HoldQuerySet(models.QuerySet["Hold"]):
    """Questions about holds."""

    def visible_to(self, user: Person) -> Self:
        """Those on backups of resources that the person may see."""
        return self.filter(visible(user, Permission.VIEW_RESOURCES, "backup__resource__application__client"))

    def standing(self, today: date) -> Self:
        """Those not released whose last day is not over (the company's day)."""
        return self.filter(released_at__isnull=True, until__gte=today)


class Hold(models.Model):
    """One hold. ``until`` is its last day in the company's time zone; retention leaves the backup alone until then."""

    backup = models.ForeignKey(Backup, models.PROTECT, related_name="holds")
    reason = models.TextField()
    until = models.DateField()
    placed_at = models.DateTimeField()
    placed_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    released_at = models.DateTimeField(null=True)
    released_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    release_reason = models.TextField(blank=True)

    history = History()
    objects = HoldQuerySet.as_manager()

    class Meta:
        ordering = ["placed_at"]
        constraints = [
            models.CheckConstraint(name="hold_says_why", condition=~Q(reason="")),
            models.CheckConstraint(
                name="hold_released_by_someone_for_a_reason",
                condition=Q(released_at__isnull=True, released_by__isnull=True)
                | (Q(released_at__isnull=False, released_by__isnull=False) & ~Q(release_reason="")),
            ),
        ]
        indexes = [
            models.Index(fields=["backup"], condition=Q(released_at__isnull=True), name="hold_standing"),
        ]

    def __str__(self) -> str:
        return f"hold on backup {self.backup_id} until {self.until}"
