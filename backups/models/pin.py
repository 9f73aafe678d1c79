"""Pins: what refers to a backup, so that retention leaves it alone.

Whoever refers to one (a restore request, an incident, a checkup) writes the pin in the transaction in which it begins
to, and takes it away when it is closed; retention looks at pins under the same row's lock and knows nothing of requests.
"""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q

from backups.models.backup import Backup

OF_TESTS = ("CU-", "test ")
"""How the labels of checkups and of tests begin. They keep nobody from removing a resource: they leave it then."""


class PinQuerySet(models.QuerySet["Pin"]):
    """Questions about pins."""

    def standing(self, now: datetime) -> Self:
        """Those whose time is not over."""
        return self.filter(Q(until__isnull=True) | Q(until__gt=now))


class Pin(models.Model):
    """One pin. ``until`` is empty while what refers to the backup is open."""

    backup = models.ForeignKey(Backup, models.PROTECT, related_name="pins")
    label = models.CharField(max_length=40, help_text="What refers to it, as people call it: RR-1042.")
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)

    objects = PinQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["label", "backup"], name="pin_once")]

    def __str__(self) -> str:
        return f"{self.label} on backup {self.backup_id}"
