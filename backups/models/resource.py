"""Resources: what runs an application or holds its data."""

from __future__ import annotations

import uuid
from typing import Self

from django.db import models
from django.db.models import Q
from django.urls import reverse

from portal.entered import search_words
from portal.history import History
from portal.models import Application, Client, User
from portal.permissions import Person, visible
from portal.roles import Permission


class Environment(models.TextChoices):
    """What the resource is used for. The policy treats production differently when a resource is removed (B4)."""

    PRODUCTION = "production", "Production"
    STAGING = "staging", "Staging"
    DEVELOPMENT = "development", "Development"


class ResourceState(models.TextChoices):
    """Where a resource is in its life."""

    ACTIVE = "active", "Active"
    VANISHED = "vanished", "Vanished"
    REMOVING = "removing", "Being removed"  # a final backup is taken first (B4)
    REMOVED = "removed", "Removed"


class ResourceQuerySet(models.QuerySet["Resource"]):
    """Questions about resources."""

    def visible_to(self, user: Person) -> Self:
        """Those that the person may see."""
        return self.filter(visible(user, Permission.VIEW_RESOURCES, "application__client"))

    def standing(self) -> Self:
        """Those not removed."""
        return self.exclude(state=ResourceState.REMOVED)

    def backed_up(self) -> Self:
        """Those of which daily backups are taken: the active, and the vanished, which may come back."""
        return self.filter(state__in=[ResourceState.ACTIVE, ResourceState.VANISHED])

    def named(self, words: str) -> Self:
        """Those in whose names every word that is searched for occurs: their own, their application's or their client's."""
        found = self
        for word in search_words(words):
            found = found.filter(
                Q(name__icontains=word)
                | Q(application__name__icontains=word)
                | Q(application__client__name__icontains=word)
            )
        return found


class Resource(models.Model):
    """One resource. ``locator`` says where it is and is the same for the same thing however it was entered."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=63)
    application = models.ForeignKey(Application, models.PROTECT, related_name="resources")
    kind = models.CharField(max_length=20, help_text="The driver that handles it.")
    environment = models.CharField(max_length=20, choices=Environment.choices)
    home_region = models.CharField(max_length=40)
    other_region = models.CharField(max_length=40)
    settings = models.JSONField(default=dict, help_text="The driver's settings; secrets as references.")
    locator = models.CharField(max_length=1000)
    state = models.CharField(max_length=10, choices=ResourceState.choices, default=ResourceState.ACTIVE)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    last_good_at = models.DateTimeField(
        null=True,
        editable=False,
        help_text="When its newest good backup was taken; kept current by what finishes backups.",
    )

    next_backup_at = models.DateTimeField(
        null=True, editable=False, help_text="When its next backup is due; None until that was worked out."
    )
    missed_sightings = models.PositiveSmallIntegerField(
        default=0, db_default=0, editable=False, help_text="How often in a row it was not found where it was."
    )
    broken_rules = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        editable=False,
        help_text="A bit for each rule with an open finding; see findings.Rule.",
    )
    audited_at = models.DateTimeField(
        null=True, editable=False, help_text="When it was last held against the policy; None: not yet."
    )
    recovery_ms = models.BigIntegerField(
        null=True, editable=False, help_text="How long its last trial restore took, with all comparing."
    )
    recovery_bytes = models.BigIntegerField(null=True, editable=False, help_text="Of so many bytes at the source.")
    recovery_at = models.DateTimeField(null=True, editable=False)
    removal_asked_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)
    removed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    removal_reason = models.TextField(blank=True, db_default="")
    kept_until = models.DateField(null=True, blank=True, help_text="When the kept backup of a removed one goes (B4).")
    undone_removal_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When it was removed, if it was brought back since: the removal's deletions are not undone.",
    )

    history = History(
        excluded_fields=[
            "last_good_at",
            "next_backup_at",
            "missed_sightings",
            "broken_rules",
            "audited_at",
            "recovery_ms",
            "recovery_bytes",
            "recovery_at",
        ]
    )
    objects = ResourceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "locator"], condition=~Q(state="removed"), name="resource_registered_once"
            ),
            models.UniqueConstraint(
                fields=["application", "name"], condition=~Q(state="removed"), name="resource_name_once_per_application"
            ),
            models.CheckConstraint(condition=~Q(home_region=models.F("other_region")), name="resource_regions_differ"),
            models.CheckConstraint(
                name="resource_removed_by_someone_for_a_reason",
                condition=~Q(state__in=["removing", "removed"])
                | (Q(removal_asked_at__isnull=False, removed_by__isnull=False) & ~Q(removal_reason="")),
            ),
            models.CheckConstraint(
                name="resource_removed_says_when",
                condition=Q(state="removed", removed_at__isnull=False)
                | (~Q(state="removed") & Q(removed_at__isnull=True)),
            ),
        ]
        indexes = [
            models.Index(fields=["name", "id"], name="resource_by_name"),
            models.Index(fields=["last_good_at", "id"], name="resource_by_last_good"),
            models.Index(fields=["application", "state"], name="resource_by_application"),
            models.Index(
                fields=["next_backup_at", "id"], condition=Q(state__in=["active", "vanished"]), name="resource_by_due"
            ),
            models.Index(fields=["id"], condition=Q(broken_rules__gt=0), name="resource_broken"),
            models.Index(fields=["kept_until", "id"], condition=Q(state="removed"), name="resource_kept"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """The resource's page."""
        return reverse("resource", args=[self.pk])

    @property
    def client(self) -> Client:
        """Whose it is."""
        return self.application.client

    @property
    def is_production(self) -> bool:
        """Whether B4's six months hold for it."""
        return self.environment == Environment.PRODUCTION
