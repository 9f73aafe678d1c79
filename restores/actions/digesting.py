"""The daily digest of each person who wants one: what waits for them, what ran, what goes soon."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Generic, TypeVar

from django.db.models import Model, QuerySet
from django.utils import timezone

from backups.actions.taking import Clock
from portal.handover import hand_over
from portal.models import User
from portal.permissions import visible
from portal.roles import Permission
from portal.words import company_zone
from restores.models import Attempt, AttemptKind, Charge, ChargeStatus, DayMail, Preferences, RestoreRequest
from restores.waiting import waits_for
from restores.workflow import Status

Row = TypeVar("Row", bound=Model)

MOST = 20
"""Named in one digest, of each kind."""

A_DAY = timedelta(days=1)
SOON = timedelta(days=3)
RAN = [Status.COMPLETED.value, Status.FAILED.value, Status.UNDONE.value]


@dataclass(frozen=True)
class Some(Generic[Row]):
    """The first rows of a list, and how many there are in all."""

    first: list[Row]
    number: int

    @property
    def more(self) -> int:
        """How many are left out."""
        return self.number - len(self.first)


@dataclass(frozen=True)
class Digest:
    """What one person reads in the morning."""

    day: date
    waiting: Some[RestoreRequest]
    charges: Some[Charge]
    ran: Some[RestoreRequest]
    ending: Some[Attempt]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to say."""
        return not (self.waiting.number or self.charges.number or self.ran.number or self.ending.number)


def write_digests(*, clock: Clock = timezone.now) -> None:
    """Have a digest of today sent to everybody who wants one; done again it changes nothing."""
    now = clock()
    wanting = Preferences.objects.filter(digest=True, person__is_active=True, person__is_service_account=False)
    day = now.astimezone(company_zone()).date()
    DayMail.objects.bulk_create(
        (DayMail(person_id=person, day=day, send_at=now) for person in wanting.values_list("person", flat=True)),
        ignore_conflicts=True,
    )
    hand_over("restores.send")


def digest_of(person: User, now: datetime) -> Digest:
    """What it says to that person now."""
    requests = RestoreRequest.objects.visible_to(person).select_related("client", "resource")
    charges = Charge.objects.filter(
        visible(person, Permission.DECIDE_CHARGES, "client"), status=ChargeStatus.TO_REVIEW
    ).select_related("request__client", "request__resource")
    ending = Attempt.objects.filter(
        visible(person, Permission.VIEW_REQUESTS, "request__client"),
        kind=AttemptKind.RESTORE,
        kept_until__gt=now,
        kept_until__lte=now + SOON,
        tidied_at__isnull=True,
    ).select_related("request__client", "request__resource")
    ran = requests.filter(status__in=RAN, status_changed_at__gt=now - A_DAY)
    return Digest(
        day=now.astimezone(company_zone()).date(),
        waiting=_some(requests.filter(waits_for(person)).order_by("status_changed_at", "pk")),
        charges=_some(charges.order_by("created_at", "pk")),
        ran=_some(ran.order_by("-status_changed_at", "-pk")),
        ending=_some(ending.order_by("kept_until", "pk")),
    )


def _some(rows: QuerySet[Row]) -> Some[Row]:
    first = list(rows[: MOST + 1])
    return Some(first[:MOST], rows.count() if len(first) > MOST else len(first))
