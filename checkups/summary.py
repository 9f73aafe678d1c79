"""How B5 stands in a few figures: the next dates, what runs, what the last checkup found. For Start and the policy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, OuterRef, QuerySet

from checkups.models import Checkup, CheckupFinding, Signature
from checkups.permissions import check_can_see_checkups, sees_every_checkup
from checkups.results import Results, results_of
from checkups.workflow import Status
from checkups.year import lacking_in_words, years_lacking
from portal.permissions import Person, has_permission
from portal.roles import Permission
from portal.rules import allowed

SHOWN = 3


@dataclass(frozen=True)
class Summary:
    """``last`` is the last signed one, with what it found of what this person sees."""

    planned: list[Checkup]
    last: Checkup | None
    results: Results
    lacks: list[str]

    @property
    def next(self) -> Checkup | None:
        """The next one."""
        return self.planned[0] if self.planned else None


def summary_for(user: Person, today: date) -> Summary | None:
    """What this person may know of it; None for those without a role."""
    if not allowed(check_can_see_checkups, user):
        return None
    last = Checkup.objects.visible_to(user).filter(status=Status.SIGNED.value).first()
    findings = CheckupFinding.objects.visible_to(user)
    dates = list(Checkup.objects.counting().values_list("on", flat=True)) if sees_every_checkup(user) else []
    lacking = years_lacking(dates, today) if sees_every_checkup(user) else []
    return Summary(
        planned=list(Checkup.objects.filter(status=Status.PLANNED.value).order_by("on")[:SHOWN]),
        last=last,
        results=results_of(findings.filter(checkup=last)) if last else Results(),
        lacks=[lacking_in_words(year, had) for year, had in lacking],
    )


def waiting_for(user: Person) -> QuerySet[Checkup]:
    """The checkups that wait for this person's signature: those that they have not signed as they were last read."""
    if not has_permission(user, Permission.SIGN_CHECKUPS, None) or getattr(user, "is_service_account", True):
        return Checkup.objects.none()
    signed = Signature.objects.filter(checkup=OuterRef("pk"), by=user.pk, sha256=OuterRef("content_sha256"))
    return Checkup.objects.filter(~Exists(signed), status=Status.READY.value)
