"""Audits: looks at the whole company and at its regions, kept as evidence also when all is well; the jobs of a day."""

from __future__ import annotations

from django.db import models


class Audit(models.Model):
    """One company audit. ``rules`` holds, by rule, how many resources it applies to and how many hold it.

    ``{"B1": [holding, applies to], …}``
    """

    day = models.DateField(help_text="The company's day.")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    rules = models.JSONField()
    resources = models.PositiveIntegerField()
    copies = models.PositiveIntegerField()
    opened = models.PositiveIntegerField(help_text="Findings that it opened.")
    closed = models.PositiveIntegerField()
    open = models.PositiveIntegerField(help_text="Findings open at its end.")

    class Meta:
        ordering = ["-finished_at"]
        indexes = [models.Index(fields=["-finished_at"], name="audit_newest")]

    def __str__(self) -> str:
        return f"audit of {self.day}"

    def share(self, rule: str) -> float:
        """The share of resources that hold a rule, 0 to 1; 1 where it applies to none."""
        holding, applies = self.rules.get(rule, (0, 0))
        return holding / applies if applies else 1.0


class RegionCheck(models.Model):
    """One look at everything that a region holds: whether every copy is there, in its full size, and nothing else."""

    region = models.CharField(max_length=40)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    copies = models.PositiveIntegerField(help_text="Copies found there in their full size.")
    missing = models.PositiveIntegerField(help_text="Copies that were not, and are called damaged since.")
    strays = models.PositiveIntegerField(help_text="Objects of no copy that the portal knows.")

    class Meta:
        ordering = ["-finished_at"]
        indexes = [models.Index(fields=["region", "-finished_at"], name="region_check_newest")]

    def __str__(self) -> str:
        return f"check of {self.region}"


class DailyJob(models.Model):
    """A job that is done once on each of the company's days. The row is the lease; see actions.daily."""

    name = models.CharField(max_length=30)
    day = models.DateField()
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "day"], name="daily_job_once")]

    def __str__(self) -> str:
        return f"{self.name} of {self.day}"
