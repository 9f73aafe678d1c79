"""The dates of checkups for calendar programs, which cannot sign in: the address itself says for whom it is."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.signing import BadSignature, Signer
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from checkups.ics import Entry, calendar_of
from checkups.models import Checkup
from checkups.permissions import sees_every_checkup
from checkups.workflow import Status
from portal.entered import whole_number
from portal.models import User

SALT = "checkups.calendar"
GIVEN_UP = (Status.WITHDRAWN, Status.CANCELLED)


def feed_address(user: User) -> str:
    """The path of that person's calendar. It works as long as they are active and may see all checkups."""
    return reverse("checkup_calendar", args=[Signer(salt=SALT).sign(str(user.pk))])


@login_not_required
@require_safe
def checkup_calendar(http: HttpRequest, token: str) -> HttpResponse:
    """Dates and numbers, nothing else."""
    reader = _reader(token)
    entries = [_entry(checkup) for checkup in Checkup.objects.visible_to(reader).order_by("on", "pk")]
    answer = HttpResponse(calendar_of(entries, "Backup checkups"), content_type="text/calendar; charset=utf-8")
    answer["Cache-Control"] = "private, max-age=3600"
    return answer


def _reader(token: str) -> User:
    try:
        pk = whole_number(Signer(salt=SALT).unsign(token))
    except BadSignature:
        raise Http404 from None
    user = User.objects.filter(pk=pk or 0, is_active=True).first()
    if user is None or not sees_every_checkup(user):
        raise Http404
    return user


def _entry(checkup: Checkup) -> Entry:
    return Entry(
        uid=f"checkup-{checkup.pk}@{settings.PORTAL_URL.partition('://')[2] or 'portal'}",
        on=checkup.on,
        summary=f"Backup checkup {checkup.number}",
        url=f"{settings.PORTAL_URL}{checkup.get_absolute_url()}",
        changed_at=checkup.status_changed_at,
        cancelled=checkup.state in GIVEN_UP,
    )
