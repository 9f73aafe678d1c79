"""Charges: the money side of a request."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q

from portal.history import History
from portal.models import Client, User
from portal.permissions import Person, visible
from portal.roles import Permission
from restores.models.request import RestoreRequest


class ChargeStatus(models.TextChoices):
    """How far the decision is."""

    TO_REVIEW = "to_review", "To review"
    CONFIRMED = "confirmed", "Confirmed"
    WAIVED = "waived", "Waived"


class ChargeQuerySet(models.QuerySet["Charge"]):
    """Questions about charges."""

    def visible_to(self, user: Person) -> Self:
        """Those of clients whose charges the person may see."""
        return self.filter(visible(user, Permission.VIEW_CHARGES, "client"))


class Charge(models.Model):
    """A finished restore that may be charged, for an account manager to decide."""

    request = models.OneToOneField(RestoreRequest, models.PROTECT, related_name="charge")
    client = models.ForeignKey(Client, models.PROTECT, related_name="charges")
    status = models.CharField(max_length=10, choices=ChargeStatus.choices, default=ChargeStatus.TO_REVIEW)
    created_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    reason = models.TextField(blank=True)

    history = History()
    objects = ChargeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="charge_decided_by_someone_for_a_reason",
                condition=Q(status="to_review", decided_at__isnull=True, decided_by__isnull=True)
                | (
                    Q(status__in=["confirmed", "waived"], decided_at__isnull=False, decided_by__isnull=False)
                    & ~Q(reason="")
                ),
            )
        ]
        indexes = [models.Index(fields=["status", "created_at"], name="charge_queue")]

    def __str__(self) -> str:
        return f"charge of {self.request}"
