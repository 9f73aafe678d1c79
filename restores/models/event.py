"""The timeline of a request: append-only."""

from __future__ import annotations

from django.db import models

from portal.appended import Appended, AppendedQuerySet
from portal.models import User
from restores.models.request import RestoreRequest


class Event(Appended):
    """One thing that happened."""

    request = models.ForeignKey(RestoreRequest, models.PROTECT, related_name="events")
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    move = models.CharField(max_length=12)
    from_status = models.CharField(max_length=20, blank=True)
    to_status = models.CharField(max_length=20)
    text = models.TextField()
    reason = models.TextField(blank=True)

    objects = AppendedQuerySet["Event"].as_manager()

    class Meta:
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["request", "at"], name="event_by_request")]

    def __str__(self) -> str:
        return self.text
