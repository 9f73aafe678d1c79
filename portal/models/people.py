"""People, and what they are for whom."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q

from portal.history import History
from portal.models.clients import Client
from portal.roles import COMPANY_WIDE, Role


class User(AbstractUser):
    """A person, or a service account. What they may do comes from their memberships alone."""

    is_service_account = models.BooleanField(
        default=False, help_text="A program, not a person: it may file and look, but never approve or decide."
    )

    history = History(excluded_fields=["password", "last_login"])

    def __str__(self) -> str:
        return self.get_full_name() or self.username


class Membership(models.Model):
    """A role that a person has: for one client, or company-wide (``client`` is then empty)."""

    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=[(role.value, role.label) for role in Role])
    client = models.ForeignKey(Client, models.PROTECT, null=True, blank=True, related_name="memberships")
    created_at = models.DateTimeField(auto_now_add=True)

    history = History()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="membership_client_fits_role",
                condition=Q(client__isnull=True, role__in=sorted(COMPANY_WIDE))
                | Q(client__isnull=False) & ~Q(role__in=sorted(COMPANY_WIDE)),
                violation_error_message="IT, auditors and administrators are company-wide; other roles need a client.",
            ),
            models.UniqueConstraint(fields=["user", "role", "client"], name="membership_once", nulls_distinct=False),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {Role(self.role).label}" + (f" of {self.client}" if self.client else "")
