"""Trials: real restores into scratch, to prove a copy. The scratch is removed whatever becomes of them."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q

from backups.models import Backup, Copy, Resource
from checkups.models.check import LEVELS, Check
from portal.models import User
from portal.permissions import Person, visible
from portal.roles import Permission


class TrialStatus(models.TextChoices):
    """How it stands."""

    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    PASSED = "passed", "Passed"
    FAILED = "failed", "Failed"
    INTERRUPTED = "interrupted", "Interrupted"
    STOPPED = "stopped", "Stopped"


OPEN = (TrialStatus.QUEUED, TrialStatus.RUNNING)


class TrialQuerySet(models.QuerySet["Trial"]):
    """Questions about trials."""

    def visible_to(self, user: Person) -> Self:
        """To IT and auditors; clients see what a signed checkup says of theirs."""
        return self.filter(visible(user, Permission.VIEW_COMPLIANCE, "resource__application__client"))

    def open(self) -> Self:
        """Queued or running."""
        return self.filter(status__in=OPEN)

    def untidied(self) -> Self:
        """Those that are over, and may have left scratch."""
        return self.exclude(status__in=OPEN).filter(tidied_at__isnull=True)


class Trial(models.Model):
    """One try of one copy, for a ``check`` or because somebody asked. Times are UTC, sizes bytes, spans milliseconds.

    ``place`` is what names its scratch has (drivers.base.Place), stored before anything is built. ``steps`` is a list of
    {name, started_at, finished_at, sentence}.
    """

    resource = models.ForeignKey(Resource, models.PROTECT, related_name="trials")
    copy = models.ForeignKey(Copy, models.PROTECT, null=True, related_name="trials")
    backup = models.ForeignKey(Backup, models.PROTECT, null=True, related_name="trials")
    check_row = models.ForeignKey(Check, models.PROTECT, null=True, related_name="trials", db_column="check_id")
    number = models.PositiveSmallIntegerField(default=1)
    asked_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    reason = models.TextField(blank=True)
    status = models.CharField(max_length=12, choices=TrialStatus.choices, default=TrialStatus.QUEUED)
    wanted = models.PositiveSmallIntegerField(choices=LEVELS)
    reached = models.PositiveSmallIntegerField(choices=LEVELS, null=True)

    queued_at = models.DateTimeField()
    resend_at = models.DateTimeField(null=True, help_text="When the sweeper hands it over again.")
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    wakes_at = models.DateTimeField(null=True, help_text="When the provider is asked again how far it is.")
    waits_for = models.CharField(max_length=300, blank=True, help_text="What the provider is doing.")
    finished_at = models.DateTimeField(null=True)
    bytes_done = models.BigIntegerField(default=0)
    bytes_expected = models.BigIntegerField(null=True)
    scratch_bytes = models.BigIntegerField(default=0, help_text="How much room it takes, as far as known.")

    place = models.JSONField(default=dict)
    values = models.JSONField(default=dict, help_text="The settings with which it is built, and removed.")
    steps = models.JSONField(default=list)
    sentence = models.TextField(blank=True, help_text="What was compared and found equal, or what went wrong.")
    detail = models.TextField(blank=True, help_text="The technical part, for IT.")
    advice = models.TextField(blank=True, help_text="What to do next, where it failed.")
    fault = models.CharField(max_length=12, blank=True, help_text="What kind of failure; see checkups.outcomes.")
    recovery_ms = models.BigIntegerField(null=True, help_text="How long restoring and comparing took.")
    tidied_at = models.DateTimeField(null=True, help_text="When its scratch was removed, or was seen not to exist.")

    objects = TrialQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["resource"], condition=Q(status__in=["queued", "running"]), name="trial_one_open_per_resource"
            ),
            models.CheckConstraint(
                name="trial_waits_while_running", condition=Q(wakes_at__isnull=True) | Q(status="running")
            ),
            models.CheckConstraint(
                name="trial_ended_says_what",
                condition=Q(status__in=["queued", "running"]) | (Q(finished_at__isnull=False) & ~Q(sentence="")),
            ),
            models.CheckConstraint(
                name="trial_passed_reached_its_level",
                condition=~Q(status="passed") | Q(reached__gte=models.F("wanted")),
            ),
            models.CheckConstraint(
                name="trial_of_a_check_or_asked_for",
                condition=Q(check_row__isnull=False) | (Q(asked_by__isnull=False) & ~Q(reason="")),
            ),
        ]
        indexes = [
            models.Index(fields=["resource", "-id"], name="trial_of_resource"),
            models.Index(fields=["heartbeat_at"], condition=Q(status="running"), name="trial_running"),
            models.Index(fields=["wakes_at"], condition=Q(wakes_at__isnull=False), name="trial_waiting"),
            models.Index(
                fields=["id"],
                condition=Q(tidied_at__isnull=True, status__in=["passed", "failed", "interrupted", "stopped"]),
                name="trial_untidied",
            ),
        ]

    def __str__(self) -> str:
        return f"trial {self.pk} of {self.resource_id}"

    @property
    def label(self) -> str:
        """What it is called where it pins a backup."""
        return f"test {self.pk}"
