"""How a restored copy of a resource is asked whether the application works on it."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from backups.models import Resource
from portal.history import History

MOST_SECONDS = 3600


class Asking(models.TextChoices):
    """In which way it is asked."""

    SQL = "sql", "An SQL query"
    HTTP = "http", "A web address"
    COMMAND = "command", "A program"


class ApplicationCheck(models.Model):
    """One resource's check. ``text`` is the query, the address or the program's name; it holds no secrets."""

    resource = models.OneToOneField(Resource, models.PROTECT, related_name="application_check")
    way = models.CharField(max_length=8, choices=Asking.choices)
    text = models.TextField()
    seconds = models.PositiveSmallIntegerField(
        default=30, validators=[MinValueValidator(1), MaxValueValidator(MOST_SECONDS)]
    )

    history = History()

    class Meta:
        constraints = [
            models.CheckConstraint(name="applicationcheck_asks_something", condition=~Q(text="")),
            models.CheckConstraint(
                name="applicationcheck_seconds", condition=Q(seconds__gte=1, seconds__lte=MOST_SECONDS)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_way_display()} for {self.resource_id}"
