"""Restore requests."""

from __future__ import annotations

from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse
from moneyed import Money

from backups.drivers.base import Mode
from backups.models import Backup, Resource
from portal.history import History
from portal.models import Client, User
from portal.permissions import Person, visible
from portal.roles import Permission
from restores.charging import CAUSE_LABELS, Cause, Classification
from restores.details import DETAIL_MAX, SINCE_MAX, Details
from restores.models.incident import Incident
from restores.part import Picked
from restores.plan import plan_digest
from restores.pricing import Estimate
from restores.workflow import STATUSES, Status, StatusFacts

FIRST_NUMBER = 1000

MODE_LABELS = {Mode.IN_PLACE: "In place", Mode.BESIDE: "Beside", Mode.EXPORT: "Export"}


_CLOSED = [status.value for status, facts in STATUSES.items() if facts.final]


class RestoreRequestQuerySet(models.QuerySet["RestoreRequest"]):
    """Questions about requests."""

    def visible_to(self, user: Person) -> Self:
        """Those of clients whose requests the person may see."""
        return self.filter(visible(user, Permission.VIEW_REQUESTS, "client"))

    def open(self) -> Self:
        """Those not closed: their backup is pinned."""
        return self.exclude(status__in=_CLOSED)


def pair(name: str) -> models.CheckConstraint:
    """A constraint that keeps ``<name>_at`` and ``<name>_by`` both or neither."""
    return models.CheckConstraint(
        name=f"request_{name}_at_and_by",
        condition=Q(**{f"{name}_at__isnull": True, f"{name}_by__isnull": True})
        | Q(**{f"{name}_at__isnull": False, f"{name}_by__isnull": False}),
    )


class RestoreRequest(models.Model):
    """One documented request (R2). Its status changes in one function only (restores.actions.moves)."""

    client = models.ForeignKey(Client, models.PROTECT, related_name="restore_requests")
    resource = models.ForeignKey(Resource, models.PROTECT, related_name="restore_requests")
    backup = models.ForeignKey(Backup, models.PROTECT, related_name="restore_requests")
    incident = models.ForeignKey(
        Incident,
        models.PROTECT,
        null=True,
        related_name="restore_requests",
        help_text="The incident it belongs to (R1).",
    )
    mode = models.CharField(max_length=10, choices=[(mode.value, label) for mode, label in MODE_LABELS.items()])
    reason = models.TextField(help_text="What happened.")
    since_when = models.TextField(blank=True, default="", db_default="", max_length=SINCE_MAX)
    wanted = models.TextField(
        blank=True, default="", db_default="", max_length=DETAIL_MAX, help_text="What should be restored."
    )
    must_not_lose = models.TextField(blank=True, default="", db_default="", max_length=DETAIL_MAX)
    cause = models.CharField(max_length=24, choices=[(cause.value, label) for cause, label in CAUSE_LABELS.items()])
    classification = models.CharField(max_length=10, choices=[(c.value, c.label) for c in Classification])
    plan = models.JSONField(help_text="What exactly would be done (restores.plan); approvals bind to it.")
    status = models.CharField(
        max_length=20, choices=[(status.value, facts.label) for status, facts in STATUSES.items()]
    )
    status_changed_at = models.DateTimeField()
    resend_at = models.DateTimeField(
        null=True, help_text="When the sweeper hands an approved one over again if nobody claimed it."
    )

    start_at = models.DateTimeField(null=True, help_text="When IT wants it to start; empty: as soon as it is approved.")

    filed_at = models.DateTimeField()
    filed_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    decision_reason = models.TextField(blank=True)
    closed_at = models.DateTimeField(null=True)
    freed_at = models.DateTimeField(
        null=True, help_text="When a correction last made it free: what was accepted before that counts no more."
    )
    consents_ended_to = models.BigIntegerField(
        null=True, help_text="The id of the last consent that ended by that. Ids, because clocks may be set back."
    )
    expires_at = models.DateTimeField(null=True, help_text="When it expires if nobody acts on it.")

    history = History(excluded_fields=["resend_at", "expires_at"])
    objects = RestoreRequestQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="request_says_why", condition=~Q(reason="")),
            models.CheckConstraint(
                name="request_infrastructure_is_free",
                condition=~Q(cause=Cause.INFRASTRUCTURE.value) | Q(classification=Classification.FREE.value),
            ),
            pair("decided"),
            models.CheckConstraint(
                name="request_of_an_incident_is_free",
                condition=Q(incident__isnull=True) | Q(cause=Cause.INFRASTRUCTURE.value),
            ),
            models.UniqueConstraint(
                fields=["incident", "resource"],
                condition=Q(incident__isnull=False) & ~Q(status__in=_CLOSED),
                name="request_of_incident_goes_on_once_per_resource",
            ),
        ]
        indexes = [
            models.Index(fields=["status", "filed_at"], name="request_queue"),
            models.Index(fields=["client", "-filed_at"], name="request_by_client"),
            models.Index(fields=["resource", "-filed_at"], name="request_by_resource"),
            models.Index(fields=["expires_at"], condition=Q(expires_at__isnull=False), name="request_expiring"),
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        """The request's page."""
        return reverse("request", args=[self.pk])

    @property
    def number(self) -> str:
        """What people call it: RR-1042."""
        return f"RR-{FIRST_NUMBER + self.pk}"

    @property
    def state(self) -> Status:
        """``status`` as its enum."""
        return Status(self.status)

    @property
    def facts(self) -> StatusFacts:
        """Label, colour, whose turn, what next."""
        return STATUSES[self.state]

    @property
    def restore_mode(self) -> Mode:
        """``mode`` as its enum."""
        return Mode(self.mode)

    @property
    def why(self) -> Cause:
        """``cause`` as its enum."""
        return Cause(self.cause)

    @property
    def details(self) -> Details:
        """The structured part of the reason."""
        return Details(self.since_when, self.wanted, self.must_not_lose)

    @property
    def plan_digest(self) -> str:
        """The digest of the plan as it stands now."""
        return plan_digest(self.plan)

    @property
    def picked(self) -> Picked | None:
        """The part that is asked for; None when it is everything."""
        return Picked.from_plan(self.plan)

    @property
    def size(self) -> int | None:
        """Bytes that are restored."""
        return self.picked.size if self.picked else self.backup.source_bytes

    @property
    def estimate(self) -> Estimate | None:
        """The price frozen into the plan; None where it is free, or no rate was set."""
        found = self.plan.get("estimate")
        return Estimate.from_json(found) if found and self.classification == Classification.BILLABLE else None

    @property
    def price(self) -> Money | None:
        """The estimate's total."""
        estimate = self.estimate
        return estimate.total if estimate else None

    def current_plan(self) -> dict[str, Any]:
        """A copy of the plan."""
        return dict(self.plan)
