"""What happened to a checkup: append-only."""

from __future__ import annotations

from django.db import models

from checkups.models.checkup import Checkup
from checkups.models.finding import CheckupFinding
from portal.appended import Appended, AppendedQuerySet
from portal.models import User


class CheckupEvent(Appended):
    """One thing that happened to it, or to one ``finding`` of it. ``name`` is the person's as it was then.

    They are in the order in which they were written, which is that of their keys: the clocks of two machines may differ.
    """

    checkup = models.ForeignKey(Checkup, models.PROTECT, related_name="events")
    finding = models.ForeignKey(CheckupFinding, models.PROTECT, null=True, related_name="events")
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    name = models.CharField(max_length=200, blank=True)
    move = models.CharField(max_length=12)
    text = models.TextField()
    reason = models.TextField(blank=True)

    objects = AppendedQuerySet["CheckupEvent"].as_manager()

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["checkup", "at"], name="checkupevent_by_checkup")]

    def __str__(self) -> str:
        return self.text
