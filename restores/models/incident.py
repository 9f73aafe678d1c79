"""Incidents (R1): a hazard, what it affects, and what happened. One record, from the hazard to the last recovery."""

from __future__ import annotations

from typing import Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse

from backups.drivers.base import Mode
from backups.models import Backup, Resource
from portal.appended import Appended, AppendedQuerySet
from portal.history import History
from portal.models import User
from portal.permissions import Person, has_permission, visible
from portal.roles import Permission
from restores.incident_workflow import INCIDENT_STATUSES, IncidentFacts, IncidentStatus

MOST_AT_ONCE = 50
INCIDENT_MODES = {Mode.IN_PLACE: "In place", Mode.BESIDE: "Beside"}
FROM_THE_MONITORING = "The monitoring reported a hazard."
"""What is told to people outside the company: the trigger's own words may name other clients' hosts."""

_FINAL = [status.value for status, facts in INCIDENT_STATUSES.items() if facts.final]
_INSIDE_ONLY = [IncidentStatus.PROPOSED.value, IncidentStatus.DISMISSED.value]


class IncidentSource(models.TextChoices):
    """Who noticed it."""

    PERSON = "person", "A person"
    ZABBIX = "zabbix", "Zabbix"


class IncidentQuerySet(models.QuerySet["Incident"]):
    """Questions about incidents."""

    def visible_to(self, user: Person) -> Self:
        """All of them to those who see every client's requests; to others those that affect their clients' resources.

        Proposals stay inside the company: until a person of IT has looked, there may be no hazard at all.
        """
        if has_permission(user, Permission.VIEW_REQUESTS, None):
            return self
        theirs = IncidentResource.objects.filter(
            visible(user, Permission.VIEW_REQUESTS, "resource__application__client"), incident=OuterRef("pk")
        )
        return self.filter(Exists(theirs)).exclude(status__in=_INSIDE_ONLY)

    def unfinished(self) -> Self:
        """Those neither closed nor dismissed: what they refer to is pinned."""
        return self.exclude(status__in=_FINAL)


def _pair(model: str, name: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        name=f"{model}_{name}_at_and_by",
        condition=Q(**{f"{name}_at__isnull": True, f"{name}_by__isnull": True})
        | Q(**{f"{name}_at__isnull": False, f"{name}_by__isnull": False}),
    )


class Incident(models.Model):
    """One incident. Its status changes in one function only (restores.actions.incident_moves)."""

    status = models.CharField(
        max_length=12, choices=[(status.value, facts.label) for status, facts in INCIDENT_STATUSES.items()]
    )
    status_changed_at = models.DateTimeField()
    source = models.CharField(max_length=8, choices=IncidentSource.choices)
    hazard = models.TextField(help_text="What happened, in words.")
    lost_region = models.CharField(
        max_length=40, blank=True, help_text="The region that is the hazard itself: backups are read elsewhere."
    )
    concurrency = models.PositiveSmallIntegerField(
        default=2,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_AT_ONCE)],
        help_text="How many restores run at once.",
    )
    began_at = models.DateTimeField(help_text="When the hazard began; times to recovery count from here.")
    declared_at = models.DateTimeField()
    declared_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    confirmed_digest = models.CharField(max_length=64, blank=True, help_text="Of the list that was confirmed.")
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    close_reason = models.TextField(blank=True)

    history = History()
    objects = IncidentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="incident_says_what", condition=~Q(hazard="")),
            models.CheckConstraint(
                name="incident_declared_by_a_person_or_zabbix",
                condition=Q(source="person", declared_by__isnull=False) | Q(source="zabbix", declared_by__isnull=True),
            ),
            _pair("incident", "confirmed"),
            models.CheckConstraint(
                name="incident_recovering_was_confirmed",
                condition=~Q(status="recovering") | (Q(confirmed_at__isnull=False) & ~Q(confirmed_digest="")),
            ),
            models.CheckConstraint(
                name="incident_closed_for_a_reason",
                condition=Q(status__in=_FINAL, closed_at__isnull=False) & ~Q(close_reason="")
                | ~Q(status__in=_FINAL) & Q(closed_at__isnull=True, closed_by__isnull=True, close_reason=""),
            ),
            models.CheckConstraint(
                name="incident_closed_by_a_person", condition=~Q(status="closed") | Q(closed_by__isnull=False)
            ),
            models.CheckConstraint(
                name="incident_runs_some_at_once", condition=Q(concurrency__gte=1, concurrency__lte=MOST_AT_ONCE)
            ),
        ]
        indexes = [models.Index(fields=["status", "-declared_at"], name="incident_by_status")]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        """The incident's board."""
        return reverse("incident", args=[self.pk])

    @property
    def number(self) -> str:
        """What people call it: INC-12."""
        return f"INC-{self.pk}"

    @property
    def state(self) -> IncidentStatus:
        """``status`` as its enum."""
        return IncidentStatus(self.status)

    @property
    def facts(self) -> IncidentFacts:
        """Label, colour, whose turn, what next."""
        return INCIDENT_STATUSES[self.state]

    @property
    def told_outside(self) -> str:
        """What happened, for the people of the clients concerned."""
        return FROM_THE_MONITORING if self.source == IncidentSource.ZABBIX else self.hazard


class IncidentResourceQuerySet(models.QuerySet["IncidentResource"]):
    """Questions about what incidents affect."""

    def visible_to(self, user: Person) -> Self:
        """Those rows whose client's requests the person may see: never another client's."""
        return self.filter(visible(user, Permission.VIEW_REQUESTS, "resource__application__client"))

    def included(self) -> Self:
        """Those not taken out."""
        return self.filter(excluded_at__isnull=True)


class IncidentResource(models.Model):
    """One affected resource: from which backup, how, in which place of the order. Without a backup ``why_not`` says why."""

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="affected")
    resource = models.ForeignKey(Resource, models.PROTECT, related_name="incidents")
    position = models.PositiveIntegerField()
    mode = models.CharField(
        max_length=10,
        choices=[(mode.value, label) for mode, label in INCIDENT_MODES.items()],
        default=Mode.IN_PLACE.value,
    )
    backup = models.ForeignKey(Backup, models.PROTECT, null=True, related_name="incidents")
    why_not = models.TextField(blank=True, help_text="Why it cannot be restored.")
    plan_digest = models.CharField(max_length=64, blank=True, help_text="Of the plan that was confirmed for it.")
    excluded_at = models.DateTimeField(null=True)
    excluded_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    excluded_reason = models.TextField(blank=True)

    objects = IncidentResourceQuerySet.as_manager()

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["incident", "resource"], name="incident_affects_once"),
            _pair("incident_resource", "excluded"),
            models.CheckConstraint(
                name="incident_resource_excluded_for_a_reason",
                condition=Q(excluded_at__isnull=True) | ~Q(excluded_reason=""),
            ),
            models.CheckConstraint(
                name="incident_resource_has_a_backup_or_says_why_not",
                condition=Q(backup__isnull=False) | ~Q(why_not=""),
            ),
        ]
        indexes = [models.Index(fields=["incident", "position", "id"], name="incident_in_order")]

    def __str__(self) -> str:
        return f"{self.resource_id} in INC-{self.incident_id}"


class IncidentEvent(Appended):
    """One thing that happened. With a ``resource`` it is told only to who sees that one."""

    incident = models.ForeignKey(Incident, models.PROTECT, related_name="events")
    resource = models.ForeignKey(Resource, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    move = models.CharField(max_length=12)
    from_status = models.CharField(max_length=12, blank=True)
    to_status = models.CharField(max_length=12)
    text = models.TextField()
    reason = models.TextField(blank=True)

    objects = AppendedQuerySet["IncidentEvent"].as_manager()

    class Meta:
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["incident", "at"], name="incident_event_in_order")]

    def __str__(self) -> str:
        return self.text
