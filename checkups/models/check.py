"""Checks: of one finding, the backups that are looked at, each to a level said beforehand."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from backups.models import Backup
from backups.proof import PROOF_LABELS, Proof
from checkups.models.finding import CheckupFinding
from checkups.scope import WHAT_LABELS, What

LEVELS = [(level.value, label) for level, label in PROOF_LABELS.items()]


class CheckStatus(models.TextChoices):
    """How it stands."""

    WAITING = "waiting", "Waiting"
    RUNNING = "running", "Running"
    PASSED = "passed", "Passed"
    FAILED = "failed", "Failed"
    LEFT = "left", "Not checked"  # the resource was removed meanwhile, or the checkup was cancelled


class Check(models.Model):
    """One backup in one region, to be tried to the level ``declared``; ``reached`` is what was really done."""

    finding = models.ForeignKey(CheckupFinding, models.PROTECT, related_name="checks")
    what = models.CharField(max_length=9, choices=[(what.value, label) for what, label in WHAT_LABELS.items()])
    backup = models.ForeignKey(Backup, models.PROTECT, null=True, related_name="checks")
    region = models.CharField(max_length=40)
    taken_at = models.DateTimeField(null=True, help_text="The point in time that the backup holds.")
    checksum = models.CharField(max_length=64, blank=True, help_text="The backup's, as recorded when it was taken.")
    stored_bytes = models.BigIntegerField(default=0)
    declared = models.PositiveSmallIntegerField(choices=LEVELS)
    reached = models.PositiveSmallIntegerField(choices=LEVELS, null=True)
    status = models.CharField(max_length=8, choices=CheckStatus.choices, default=CheckStatus.WAITING)
    sentence = models.TextField(blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(null=True, help_text="When it is tried again after a fault that may pass.")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["finding", "what", "backup"], condition=Q(backup__isnull=False), name="check_once_per_backup"
            ),
            models.UniqueConstraint(
                fields=["finding", "what"], condition=Q(backup__isnull=True), name="check_once_without_backup"
            ),
            models.CheckConstraint(
                name="check_passed_reached_its_level",
                condition=~Q(status="passed") | Q(reached__gte=models.F("declared")),
            ),
            models.CheckConstraint(name="check_failed_says_why", condition=~Q(status="failed") | ~Q(sentence="")),
        ]
        indexes = [
            models.Index(fields=["finding", "status"], name="check_of_finding"),
            models.Index(fields=["id"], condition=Q(status="waiting"), name="check_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.what_enum.label} of finding {self.finding_id}"

    @property
    def what_enum(self) -> What:
        """``what`` as its enum."""
        return What(self.what)

    @property
    def declared_level(self) -> Proof:
        """``declared`` as its enum."""
        return Proof(self.declared)

    @property
    def reached_level(self) -> Proof | None:
        """``reached`` as its enum; None when nothing was reached."""
        return Proof(self.reached) if self.reached is not None else None
