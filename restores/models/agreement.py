"""What is agreed with a client about money: the currency, and up to which price consent is given in advance."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from moneyed import Money

from portal.history import History
from portal.models import Client


class Agreement(models.Model):
    """One client's. Without a row the company's currency holds, and nothing is consented to in advance."""

    client = models.OneToOneField(Client, models.PROTECT, related_name="agreement")
    currency = models.CharField(max_length=3, help_text="ISO 4217, such as EUR.")
    customer_number = models.CharField(
        max_length=40, blank=True, db_default="", help_text="The client's number in accounting, for exports."
    )
    standing_limit = models.DecimalField(
        max_digits=12,
        decimal_places=2,
        null=True,
        validators=[MinValueValidator(0)],
        help_text="A restore up to this price needs no consent of its own. Empty: every one needs it.",
    )

    history = History()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="agreement_limit_is_not_negative",
                condition=Q(standing_limit__isnull=True) | Q(standing_limit__gte=0),
            )
        ]

    def __str__(self) -> str:
        return f"agreement with {self.client}"

    @property
    def limit(self) -> Money | None:
        """The standing limit, with its currency."""
        return None if self.standing_limit is None else Money(self.standing_limit, self.currency)
