"""Signatures under a checkup: two, by different people of IT."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from checkups.models.checkup import Checkup
from portal.appended import Appended, AppendedQuerySet
from portal.models import User


class Signature(Appended):
    """One person's word for exactly what the record said then: ``sha256`` is that of its content.

    They are in the order in which they were given, which is that of their keys: the clocks of two machines may differ.
    """

    checkup = models.ForeignKey(Checkup, models.PROTECT, related_name="signatures")
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    name = models.CharField(max_length=200, help_text="The person's, as it was then.")
    at = models.DateTimeField()
    statement = models.TextField(blank=True)
    sha256 = models.CharField(max_length=64)

    objects = AppendedQuerySet["Signature"].as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["checkup", "by", "sha256"], name="signature_once_per_person"),
            models.CheckConstraint(name="signature_names_what", condition=~Q(sha256="")),
        ]

    def __str__(self) -> str:
        return f"{self.name} on {self.checkup_id}"
