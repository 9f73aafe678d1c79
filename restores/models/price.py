"""Rate cards: what restores cost, by currency and from which day. One that is in force is never changed."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from portal.history import History
from portal.models import User
from restores.pricing import Rate as RateFacts


class RateCard(models.Model):
    """The prices in one currency from one of the company's days on, until a later card takes over."""

    currency = models.CharField(max_length=3, help_text="ISO 4217, such as EUR.")
    valid_from = models.DateField(help_text="The company's day from which on it is used.")
    let_off_limit = models.DecimalField(
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="The most that an account manager lets a client off on one restore; empty: all of it.",
    )
    published_at = models.DateTimeField()
    published_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    reason = models.TextField()

    history = History()

    class Meta:
        ordering = ["currency", "-valid_from"]
        constraints = [
            models.UniqueConstraint(fields=["currency", "valid_from"], name="rate_card_once_per_day"),
            models.CheckConstraint(name="rate_card_says_why", condition=~Q(reason="")),
        ]

    def __str__(self) -> str:
        return f"{self.currency} from {self.valid_from}"


class Rate(models.Model):
    """The prices of one kind of resource on a card; without a kind, of all kinds that have no line of their own."""

    card = models.ForeignKey(RateCard, models.CASCADE, related_name="rates")
    kind = models.CharField(max_length=20, blank=True)
    flat = models.DecimalField(max_digits=12, decimal_places=4, default=Decimal(0), validators=[MinValueValidator(0)])
    per_gib = models.DecimalField(
        max_digits=12, decimal_places=4, default=Decimal(0), validators=[MinValueValidator(0)]
    )
    per_hour = models.DecimalField(
        max_digits=12, decimal_places=4, default=Decimal(0), validators=[MinValueValidator(0)]
    )
    usual_hours = models.DecimalField(
        max_digits=6, decimal_places=2, default=Decimal(0), validators=[MinValueValidator(0)]
    )

    class Meta:
        ordering = ["kind"]
        constraints = [
            models.UniqueConstraint(fields=["card", "kind"], name="rate_once_per_kind"),
            models.CheckConstraint(
                name="rate_is_not_negative",
                condition=Q(flat__gte=0, per_gib__gte=0, per_hour__gte=0, usual_hours__gte=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind or 'other kinds'} on {self.card}"

    @property
    def facts(self) -> RateFacts:
        """As the pure module takes it."""
        return RateFacts(self.flat, self.per_gib, self.per_hour, self.usual_hours)
