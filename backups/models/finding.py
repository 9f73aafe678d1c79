"""Findings: where the policy does not hold, since when, and what to do. Written by the audit, never by people."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q

from backups.findings import PASSING, Code, Rule
from backups.models.resource import Resource
from portal.permissions import Person, visible
from portal.roles import Permission


class FindingQuerySet(models.QuerySet["Finding"]):
    """Questions about findings."""

    def visible_to(self, user: Person) -> Self:
        """Those of resources whose compliance the person may see; those of no resource for who sees the company's."""
        return self.filter(visible(user, Permission.VIEW_COMPLIANCE, "resource__application__client"))

    def open(self) -> Self:
        """Those that still hold."""
        return self.filter(closed_at__isnull=True)


class Finding(models.Model):
    """One thing that is not as the policy says. At most one open one per resource and code."""

    resource = models.ForeignKey(
        Resource, models.PROTECT, null=True, related_name="findings", help_text="None: of a region, not of a resource."
    )
    rule = models.CharField(max_length=2, choices=[(rule.value, rule.value) for rule in Rule])
    code = models.CharField(max_length=30, choices=[(code.value, code.label) for code in Code])
    subject = models.CharField(max_length=80, blank=True, help_text="What it is about where no resource is: a region.")
    sentence = models.TextField()
    advice = models.TextField()
    since = models.DateTimeField(help_text="Since when it has been so, as far as can be told.")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True, help_text="When IT was sent mail about it.")

    objects = FindingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["resource", "code", "subject"],
                condition=Q(closed_at__isnull=True),
                nulls_distinct=False,
                name="finding_once_while_open",
            ),
        ]
        indexes = [
            models.Index(fields=["since", "id"], condition=Q(closed_at__isnull=True), name="finding_open_by_age"),
            models.Index(
                fields=["rule", "since", "id"], condition=Q(closed_at__isnull=True), name="finding_open_by_rule"
            ),
            models.Index(
                fields=["opened_at"], condition=Q(closed_at__isnull=True, told_at__isnull=True), name="finding_untold"
            ),
        ]

    def __str__(self) -> str:
        return self.sentence

    @property
    def is_passing(self) -> bool:
        """Whether nobody can mend it any more, and it passes by itself."""
        return self.code in PASSING
