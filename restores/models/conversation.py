"""What is said about a request: comments and attachments, some of them for the company alone. Append-only."""

from __future__ import annotations

import uuid
from typing import Self

from django.db import models
from django.db.models import Q

from portal.appended import Appended, AppendedQuerySet, Row
from portal.models import User
from portal.permissions import Person, visible
from portal.roles import Permission
from restores.models.request import RestoreRequest

COMMENT_MAX = 5000
NAME_MAX = 120


class SaidQuerySet(AppendedQuerySet[Row]):
    """The one place that knows who reads what."""

    def visible_to(self, user: Person) -> Self:
        """Those of requests that the person may see; internal ones only where they are of the company."""
        seen = visible(user, Permission.VIEW_REQUESTS, "request__client")
        internal = Q(internal=True) & visible(user, Permission.VIEW_INTERNAL_NOTES, "request__client")
        return self.filter(seen, Q(internal=False) | internal)


class Said(Appended):
    """Something that a person said. ``internal``: the company's people read it, the client never does."""

    at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    internal = models.BooleanField()

    class Meta:
        abstract = True


class Comment(Said):
    """One comment."""

    request = models.ForeignKey(RestoreRequest, models.PROTECT, related_name="comments")
    text = models.TextField(max_length=COMMENT_MAX)

    objects = SaidQuerySet["Comment"].as_manager()

    class Meta:
        ordering = ["at", "id"]
        constraints = [models.CheckConstraint(name="comment_says_something", condition=~Q(text=""))]
        indexes = [models.Index(fields=["request", "at"], name="comment_by_request")]

    def __str__(self) -> str:
        return f"comment {self.pk} on {self.request_id}"


class Attachment(Said):
    """One file. Its bytes lie outside the database under ``key`` (restores.attached), and are there before the row is."""

    request = models.ForeignKey(RestoreRequest, models.PROTECT, related_name="attachments")
    key = models.UUIDField(unique=True, default=uuid.uuid4)
    name = models.CharField(max_length=NAME_MAX)
    content_type = models.CharField(max_length=100, help_text="By its content, not by what its sender says.")
    size = models.BigIntegerField()
    checksum = models.CharField(max_length=64, help_text="SHA-256, hexadecimal.")

    objects = SaidQuerySet["Attachment"].as_manager()

    class Meta:
        ordering = ["at", "id"]
        constraints = [
            models.CheckConstraint(name="attachment_has_a_name", condition=~Q(name="")),
            models.CheckConstraint(name="attachment_has_bytes", condition=Q(size__gt=0)),
        ]
        indexes = [models.Index(fields=["request", "at"], name="attachment_by_request")]

    def __str__(self) -> str:
        return self.name
