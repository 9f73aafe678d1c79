"""What people are told of requests: notices, who follows, what each wants by mail, and what waits to be sent."""

from __future__ import annotations

from typing import Any, Self

from django.db import models
from django.db.models import Q

from portal.models import User
from portal.permissions import Person, visible
from portal.roles import Permission
from restores.models.request import RestoreRequest


class Outgoing(models.Model):
    """A row that is to be sent later. Who sends it claims it by changing ``send_at`` (restores.actions.sending)."""

    send_at = models.DateTimeField(
        null=True, help_text="When it is tried next; empty: there is nothing (more) to send."
    )
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True


def due(name: str) -> models.Index:
    """The index by which the sweeper finds what is to be sent."""
    return models.Index(fields=["send_at"], condition=Q(send_at__isnull=False), name=name)


class Why(models.TextChoices):
    """Why somebody is told."""

    TURN = "turn", "It is your turn."
    FOLLOWS = "follows", "You follow this request."
    CHARGE = "charge", "You decide about this client’s charges."
    OWNER = "owner", "It is about your company’s data, or costs it something."


class NoticeQuerySet(models.QuerySet["Notice"]):
    """Questions about notices."""

    def visible_to(self, user: Person) -> Self:
        """The person's own, of requests that they may see now; internal ones only where they may read such."""
        seen = visible(user, Permission.VIEW_REQUESTS, "request__client")
        internal = Q(internal=True) & visible(user, Permission.VIEW_INTERNAL_NOTES, "request__client")
        return self.filter(seen, Q(internal=False) | internal, person_id=user.pk)

    def unread(self) -> Self:
        """Those not read yet."""
        return self.filter(read_at__isnull=True)


class Notice(Outgoing):
    """One thing that one person is told: in their inbox, and by mail where they want that."""

    person = models.ForeignKey(User, models.CASCADE, related_name="notices")
    request = models.ForeignKey(RestoreRequest, models.PROTECT, related_name="notices")
    why = models.CharField(max_length=8, choices=Why.choices)
    internal = models.BooleanField(default=False, help_text="Never for the client's people.")
    headline = models.CharField(max_length=80, help_text="One or two words, such as Approved: for the mail's subject.")
    text = models.TextField(help_text="What happened, as the timeline has it; nothing that people typed.")
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["person", "-id"], name="notice_by_person"),
            models.Index(fields=["person"], condition=Q(read_at__isnull=True), name="notice_unread"),
            models.Index(fields=["created_at"], name="notice_by_age"),
            due("notice_due"),
        ]

    def __str__(self) -> str:
        return f"{self.request.number}: {self.headline}"


class Follow(models.Model):
    """Whether somebody follows a request. Without a row, whoever filed it does and nobody else."""

    request = models.ForeignKey(RestoreRequest, models.PROTECT, related_name="follows")
    person = models.ForeignKey(User, models.CASCADE, related_name="+")
    following = models.BooleanField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["request", "person"], name="follow_once")]

    def __str__(self) -> str:
        return f"{self.person} and {self.request}"


class Preferences(models.Model):
    """What a person wants by mail. The inbox has everything, whatever stands here."""

    person = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="preferences")
    mail_turn = models.BooleanField(default=True)
    mail_followed = models.BooleanField(default=True)
    digest = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"preferences of {self.person}"


def preferences_of(person: Any) -> Preferences:
    """The person's, or those that hold until they choose."""
    try:
        found: Preferences = person.preferences
    except Preferences.DoesNotExist:
        return Preferences(person=person)
    return found


class DayMail(Outgoing):
    """One person's digest of one of the company's days."""

    person = models.ForeignKey(User, models.CASCADE, related_name="+")
    day = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "day"], name="day_mail_once")]
        indexes = [due("day_mail_due")]

    def __str__(self) -> str:
        return f"{self.day} for {self.person}"


class ChannelPost(Outgoing):
    """One message to one of the company's channels. ``channel`` is a name made of its address, never the address."""

    channel = models.CharField(max_length=32)
    title = models.CharField(max_length=200)
    text = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        indexes = [due("channel_post_due"), models.Index(fields=["created_at"], name="channel_post_by_age")]

    def __str__(self) -> str:
        return self.title
