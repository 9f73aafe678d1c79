"""The timeline of a request: append-only."""

from __future__ import annotations

from typing import Any

from django.db import models

from portal.models import User
from restores.models.request import RestoreRequest


class Event(models.Model):
    """One thing that happened. Never changed, never deleted."""

    request = models.ForeignKey(RestoreRequest, models.PROTECT, related_name="events")
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    move = models.CharField(max_length=12)
    from_status = models.CharField(max_length=20, blank=True)
    to_status = models.CharField(max_length=20)
    text = models.TextField()
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["request", "at"], name="event_by_request")]

    def __str__(self) -> str:
        return self.text

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Append; a second save is a programming error."""
        if not self._state.adding:
            raise TypeError("Events are append-only.")
        super().save(*args, **kwargs)
