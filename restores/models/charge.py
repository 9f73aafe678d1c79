"""Charges: the money side of a request."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import F, Q
from moneyed import Money

from portal.history import History
from portal.models import Client, User
from portal.permissions import Person, visible
from portal.roles import Permission
from restores.models.export import ChargeExport
from restores.models.request import RestoreRequest


class ChargeStatus(models.TextChoices):
    """How far the decision is."""

    TO_REVIEW = "to_review", "To review"
    CONFIRMED = "confirmed", "Confirmed"
    ADJUSTED = "adjusted", "Adjusted"  # charged, but less than was accepted
    WAIVED = "waived", "Waived"
    VOID = "void", "Free by its cause"  # IT corrected the cause after the restore


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
    estimated = models.DecimalField(
        max_digits=12, decimal_places=2, null=True, help_text="What the client accepted; empty where no price was set."
    )
    currency = models.CharField(max_length=3, blank=True, db_default="")
    amount = models.DecimalField(max_digits=12, decimal_places=2, null=True, help_text="What is charged, once decided.")
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    reason = models.TextField(blank=True)
    export = models.ForeignKey(ChargeExport, models.PROTECT, null=True, related_name="charges")

    history = History()
    objects = ChargeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="charge_decided_by_someone_for_a_reason",
                condition=Q(status="to_review", decided_at__isnull=True, decided_by__isnull=True)
                | (
                    Q(
                        status__in=["confirmed", "adjusted", "waived", "void"],
                        decided_at__isnull=False,
                        decided_by__isnull=False,
                    )
                    & ~Q(reason="")
                ),
            ),
            models.CheckConstraint(
                name="charge_amounts_have_a_currency",
                condition=Q(estimated__isnull=True, amount__isnull=True) | ~Q(currency=""),
            ),
            models.CheckConstraint(
                name="charge_exported_is_charged",
                condition=Q(export__isnull=True) | Q(status__in=["confirmed", "adjusted"], amount__isnull=False),
            ),
            models.CheckConstraint(
                name="charge_never_more_than_accepted",
                condition=Q(amount__isnull=True) | Q(amount__gte=0, amount__lte=F("estimated")),
            ),
        ]
        indexes = [
            models.Index(fields=["status", "created_at"], name="charge_queue"),
            models.Index(fields=["-decided_at", "-id"], name="charge_decided"),
        ]

    def __str__(self) -> str:
        return f"charge of {self.request}"

    @property
    def price(self) -> Money | None:
        """What the client accepted."""
        return None if self.estimated is None else Money(self.estimated, self.currency)

    @property
    def charged(self) -> Money | None:
        """What is charged, once that is decided."""
        return None if self.amount is None else Money(self.amount, self.currency)
