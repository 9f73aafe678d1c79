"""Checkups: the validity check of all backups on one of the company's dates (B5)."""

from __future__ import annotations

from datetime import date
from typing import Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse

from checkups.scope import sample_in_words
from checkups.workflow import STATUSES, Status, StatusFacts
from portal.history import History
from portal.models import User
from portal.permissions import Person, has_permission, has_permission_somewhere
from portal.roles import Permission

_DERIVED = ["declared_up_to", "reminded", "drawn", "told_ready_at", "content_sha256", "content_version"]
_COUNTING = [status.value for status, facts in STATUSES.items() if facts.counts]
_FINAL = [status.value for status, facts in STATUSES.items() if facts.final]


class CheckupQuerySet(models.QuerySet["Checkup"]):
    """Questions about checkups."""

    def visible_to(self, user: Person) -> Self:
        """All to those who see them company-wide; to others the signed ones, of which pages show them their own part."""
        if has_permission(user, Permission.VIEW_CHECKUPS, None):
            return self
        if has_permission_somewhere(user, Permission.VIEW_CHECKUPS):
            return self.filter(status=Status.SIGNED.value)
        return self.none()

    def counting(self) -> Self:
        """Those that are among their year's two dates."""
        return self.filter(status__in=_COUNTING)

    def unfinished(self) -> Self:
        """Those neither signed nor given up."""
        return self.exclude(status__in=_FINAL)


class Checkup(models.Model):
    """One checkup. Its status changes in one function only (checkups.actions.moves)."""

    on = models.DateField(help_text="The company's date on which it starts.")
    nth = models.PositiveSmallIntegerField(
        default=1, help_text="One more than were set for that date before, and given up: no two have the same number."
    )
    status = models.CharField(
        max_length=10, choices=[(status.value, facts.label) for status, facts in STATUSES.items()]
    )
    status_changed_at = models.DateTimeField()
    set_at = models.DateTimeField()
    set_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    reminded = models.PositiveSmallIntegerField(
        null=True, help_text="How many days before the date people were last reminded."
    )

    share = models.PositiveSmallIntegerField(
        default=100,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="Of so many per cent of the resources backups are restored.",
    )
    sample_reason = models.TextField(blank=True, help_text="Why not all of them are.")
    drawn = models.JSONField(null=True, help_text="The ids of the resources in the sample; none where all are.")
    seed = models.CharField(max_length=32, help_text="With which the sample is drawn.")

    limits = models.JSONField(default=dict, help_text="What it may take at most, as it was set when it started.")
    started_at = models.DateTimeField(null=True)
    declared_at = models.DateTimeField(null=True, help_text="When its scope was written down; checks begin after that.")
    declared_up_to = models.PositiveBigIntegerField(default=0, help_text="The last resource in the scope so far.")
    finished_at = models.DateTimeField(null=True, help_text="When everything in its scope had been checked.")
    told_ready_at = models.DateTimeField(null=True, help_text="When IT was told that it waits for signatures.")
    content_sha256 = models.CharField(max_length=64, blank=True, help_text="Of what people sign, as last worked out.")
    content_version = models.CharField(max_length=80, blank=True, help_text="Of which state of it that is.")
    sealed_at = models.DateTimeField(null=True, help_text="When the second person signed.")
    sha256 = models.CharField(max_length=64, blank=True, help_text="Of its record in canonical JSON.")
    closed_reason = models.TextField(blank=True, help_text="Why it was withdrawn or cancelled.")

    history = History(excluded_fields=_DERIVED)
    objects = CheckupQuerySet.as_manager()

    class Meta:
        ordering = ["-on", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["on"], condition=Q(status__in=_COUNTING), name="checkup_one_per_date"),
            models.UniqueConstraint(fields=["on", "nth"], name="checkup_number_once"),
            models.UniqueConstraint(fields=["status"], condition=Q(status="running"), name="checkup_one_running"),
            models.CheckConstraint(name="checkup_share", condition=Q(share__gte=1, share__lte=100)),
            models.CheckConstraint(name="checkup_sample_says_why", condition=Q(share=100) | ~Q(sample_reason="")),
            models.CheckConstraint(
                name="checkup_begun_says_when",
                condition=Q(status__in=["planned", "withdrawn"], started_at__isnull=True)
                | (~Q(status__in=["planned", "withdrawn"]) & Q(started_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="checkup_sealed_has_its_hash",
                condition=(Q(status="signed", sealed_at__isnull=False) & ~Q(sha256=""))
                | (~Q(status="signed") & Q(sealed_at__isnull=True, sha256="")),
            ),
            models.CheckConstraint(
                name="checkup_given_up_says_why",
                condition=~Q(status__in=["cancelled", "withdrawn"]) | ~Q(closed_reason=""),
            ),
        ]
        indexes = [models.Index(fields=["status", "on"], name="checkup_by_status")]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        """The checkup's page."""
        return reverse("checkup", args=[self.pk])

    @property
    def number(self) -> str:
        """What people call it: "CU-2026-11-15", or "CU-2026-11-15-2" where another of that date was given up."""
        return number_of(self.on, self.nth)

    @property
    def state(self) -> Status:
        """``status`` as its enum."""
        return Status(self.status)

    @property
    def facts(self) -> StatusFacts:
        """What pages say about its status."""
        return STATUSES[self.state]

    @property
    def rule(self) -> str:
        """Which resources are restored, in words."""
        return sample_in_words(self.share, self.seed)


def number_of(on: date, nth: int = 1) -> str:
    """What people call the checkup of that date."""
    return f"CU-{on.isoformat()}" + (f"-{nth}" if nth > 1 else "")
