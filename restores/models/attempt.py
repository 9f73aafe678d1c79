"""Attempts: the runs of a request, made of recorded steps."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from backups.models import Copy
from portal.models import User
from restores.models.approval import Approval
from restores.models.request import RestoreRequest


class AttemptKind(models.TextChoices):
    """What is run."""

    RESTORE = "restore", "Restore"
    UNDO = "undo", "Undo"


class AttemptStatus(models.TextChoices):
    """How it stands."""

    QUEUED = "queued", "Queued"  # an undo that was asked for and not begun
    RUNNING = "running", "Running"
    COMPLETED = "completed", "Completed"
    FAILED = "failed", "Failed"
    INTERRUPTED = "interrupted", "Interrupted"


class Attempt(models.Model):
    """One run. The heartbeat says that its worker lives; ``place`` what names it uses (drivers.base.Place)."""

    request = models.ForeignKey(RestoreRequest, models.PROTECT, related_name="attempts")
    approval = models.OneToOneField(Approval, models.PROTECT, null=True, related_name="attempt")
    kind = models.CharField(max_length=10, choices=AttemptKind.choices, default=AttemptKind.RESTORE)
    number = models.PositiveSmallIntegerField()
    status = models.CharField(max_length=12, choices=AttemptStatus.choices)
    target = models.CharField(
        max_length=1100, help_text="Kind and locator that it writes to: one running attempt each."
    )
    place = models.JSONField(default=dict)
    copy = models.ForeignKey(Copy, models.PROTECT, null=True, related_name="attempts")
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    resend_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True)
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    wakes_at = models.DateTimeField(null=True, help_text="When the provider is asked again how far it is.")
    waits_for = models.CharField(max_length=300, blank=True, db_default="", help_text="What the provider is doing.")
    finished_at = models.DateTimeField(null=True)
    bytes_done = models.BigIntegerField(default=0)
    bytes_expected = models.BigIntegerField(null=True)
    error = models.TextField(blank=True, help_text="What went wrong, in words a client understands.")
    error_detail = models.TextField(blank=True, help_text="The technical part, for IT.")
    proof = models.TextField(blank=True, help_text="What was compared and found equal.")
    kept_until = models.DateTimeField(
        null=True, help_text="Until when the replaced original, or what was handed over, is kept."
    )
    warned_at = models.DateTimeField(
        null=True, help_text="When it was said that what stands beside is removed soon: before that it never is."
    )
    stop_asked_at = models.DateTimeField(null=True)
    stop_asked_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    stop_reason = models.TextField(blank=True, db_default="")
    went_live_at = models.DateTimeField(null=True, help_text="When what it restored was found under the live name.")
    tidied_at = models.DateTimeField(null=True, help_text="When everything it left behind was removed.")

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["request", "number"], name="attempt_number_once"),
            models.UniqueConstraint(
                fields=["target"], condition=Q(status="running"), name="attempt_one_running_per_target"
            ),
            models.UniqueConstraint(
                fields=["request"], condition=Q(status__in=["queued", "running"]), name="attempt_one_open_per_request"
            ),
            models.CheckConstraint(
                name="attempt_waits_while_running", condition=Q(wakes_at__isnull=True) | Q(status="running")
            ),
            models.CheckConstraint(
                name="attempt_restore_has_approval", condition=Q(kind="undo") | Q(approval__isnull=False)
            ),
            models.CheckConstraint(
                name="attempt_stop_says_who_and_why",
                condition=Q(stop_asked_at__isnull=True, stop_asked_by__isnull=True)
                | Q(stop_asked_at__isnull=False, stop_asked_by__isnull=False) & ~Q(stop_reason=""),
            ),
            models.CheckConstraint(name="attempt_completed_has_proof", condition=~Q(status="completed") | ~Q(proof="")),
            models.CheckConstraint(
                name="attempt_failed_says_why", condition=~Q(status__in=["failed", "interrupted"]) | ~Q(error="")
            ),
        ]
        indexes = [
            models.Index(fields=["heartbeat_at"], condition=Q(status="running"), name="attempt_running"),
            models.Index(fields=["wakes_at"], condition=Q(wakes_at__isnull=False), name="attempt_waiting"),
            models.Index(fields=["target"], condition=Q(resend_at__isnull=False), name="attempt_unsettled"),
            models.Index(
                fields=["kept_until"],
                condition=Q(kept_until__isnull=False, tidied_at__isnull=True),
                name="attempt_kept",
            ),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.request_id}"


class StepStatus(models.TextChoices):
    """How a step ended."""

    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    NOT_POSSIBLE = "not_possible", "Not possible"  # this kind of resource has no way to do it; no fault


class Step(models.Model):
    """One step of an attempt, recorded as it begins and as it ends."""

    attempt = models.ForeignKey(Attempt, models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=24)
    status = models.CharField(max_length=12, choices=StepStatus.choices, default=StepStatus.RUNNING)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    sentence = models.TextField(blank=True, help_text="What was done, in words.")

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["attempt", "position"], name="step_position_once"),
            models.UniqueConstraint(fields=["attempt", "name"], name="step_once_per_attempt"),
        ]

    def __str__(self) -> str:
        return self.name
