"""What discovery found at a provider and has no resource: B1 does not hold for it."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q

from backups.models.account import AccountRegion
from portal.permissions import Person, has_permission
from portal.roles import Permission


class DiscoveredQuerySet(models.QuerySet["Discovered"]):
    """Questions about what was found."""

    def visible_to(self, user: Person) -> Self:
        """All of it, for who sees the company's compliance: it belongs to no client yet."""
        return self.all() if has_permission(user, Permission.VIEW_COMPLIANCE, None) else self.none()


class Discovered(models.Model):
    """One thing, as the last listing that was complete showed it. The row goes once it is registered, or not there any more."""

    region = models.ForeignKey(AccountRegion, models.CASCADE, related_name="discovered")
    kind = models.CharField(max_length=20)
    locator = models.CharField(max_length=1000)
    settings = models.JSONField(default=dict)
    name = models.CharField(max_length=300)
    sentence = models.TextField()
    size_bytes = models.BigIntegerField(null=True)
    tags = models.JSONField(default=dict)
    why_not = models.TextField(blank=True, help_text="Why it cannot be registered as it is.")
    first_seen_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    objects = DiscoveredQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "locator"], name="discovered_once"),
            models.CheckConstraint(
                name="discovered_later_than_first", condition=Q(seen_at__gte=models.F("first_seen_at"))
            ),
        ]
        indexes = [models.Index(fields=["first_seen_at", "id"], name="discovered_by_age")]

    def __str__(self) -> str:
        return self.name
