"""Consents: a client's yes to the price of one restore."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from moneyed import Money

from portal.appended import Appended, AppendedQuerySet
from portal.models import User
from restores.models.request import RestoreRequest


class ConsentKind(models.TextChoices):
    """How it was given."""

    PERSON = "person", "Accepted"
    STANDING = "standing", "Covered by the standing consent"


class Consent(Appended):
    """One consent, bound to the plan that was read."""

    request = models.ForeignKey(RestoreRequest, models.PROTECT, related_name="consents")
    kind = models.CharField(max_length=10, choices=ConsentKind.choices)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    currency = models.CharField(max_length=3)
    plan_digest = models.CharField(max_length=64)
    given_at = models.DateTimeField()
    given_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    objects = AppendedQuerySet["Consent"].as_manager()

    class Meta:
        ordering = ["given_at", "id"]
        constraints = [
            models.CheckConstraint(
                name="consent_by_a_person_names_them",
                condition=Q(kind="standing", given_by__isnull=True) | Q(kind="person", given_by__isnull=False),
            ),
            models.CheckConstraint(name="consent_is_not_negative", condition=Q(amount__gte=0)),
        ]

    def __str__(self) -> str:
        return f"consent to {self.request_id}"

    @property
    def money(self) -> Money:
        """What was accepted."""
        return Money(self.amount, self.currency)

    @property
    def stands(self) -> bool:
        """Whether it still counts: not once the client was told that the restore is free."""
        ended_to, freed_at = self.request.consents_ended_to, self.request.freed_at
        if ended_to is not None:
            return self.pk > ended_to
        return freed_at is None or self.given_at > freed_at  # freed by an older portal, while this one was updated
