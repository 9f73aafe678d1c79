"""Exports of charges for accounting: numbered, repeatable, nothing twice."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.urls import reverse

from portal.appended import Appended, AppendedQuerySet
from portal.models import User
from portal.permissions import Person, has_permission, has_permission_somewhere
from portal.roles import Permission


class ChargeExportQuerySet(AppendedQuerySet["ChargeExport"]):
    """Questions about exports."""

    def visible_to(self, user: Person) -> Self:
        """All for who sees every client's charges, else those that the person made: they may name any of their clients."""
        if has_permission(user, Permission.VIEW_CHARGES, None):
            return self
        if not has_permission_somewhere(user, Permission.EXPORT_CHARGES):  # a role that has ended shows nothing
            return self.none()
        return self.filter(created_by=user.pk)


class ChargeExport(Appended):
    """One export. ``rows`` are its lines as they were written, so that it can be had again, the same to the byte."""

    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    rows = models.JSONField(help_text="The lines, by column, as text.")
    totals = models.JSONField(help_text="{currency: total}, decimals as text.")
    count = models.PositiveIntegerField()
    checksum = models.CharField(max_length=64, help_text="SHA-256 of the CSV, hexadecimal.")

    objects = ChargeExportQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        """What accounting calls it: EXP-12."""
        return f"EXP-{self.pk}"

    def get_absolute_url(self) -> str:
        """The CSV."""
        return reverse("charge_export_csv", args=[self.pk])
