"""Approvals: one person's yes to one exact plan, good for one operation."""

from __future__ import annotations

from django.db import models

from portal.models import User
from restores.models.request import RestoreRequest


class Approval(models.Model):
    """One approval. It is used up by the attempt that points at it (one to one), and never again."""

    request = models.ForeignKey(RestoreRequest, models.PROTECT, related_name="approvals")
    plan = models.JSONField()
    plan_digest = models.CharField(max_length=64)
    approved_at = models.DateTimeField()
    approved_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    reason = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"approval {self.pk} of {self.request_id}"
