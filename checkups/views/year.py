"""The year of checkups: its two dates, setting one, and the checkups that were."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from checkups.actions.dates import set_date
from checkups.calendar import Year, years_of
from checkups.forms import DateForm
from checkups.models import Checkup, CheckupFinding, Signature
from checkups.models.checkup import CheckupQuerySet
from checkups.permissions import check_can_manage, check_can_see_checkups, sees_every_checkup
from checkups.results import Results, results_by_checkup
from checkups.views.act import Act, do
from checkups.views.calendar import feed_address
from checkups.views.fetching import person
from checkups.year import set_in_words
from portal.forms import SentenceForm
from portal.models import User
from portal.paging import Column, read_page
from portal.permissions import has_permission
from portal.roles import Permission
from portal.rules import refusal
from portal.words import company_zone

NEWEST_FIRST = (Column("started_at", descending=True), Column("pk", descending=True))
A_PAGE = 10
SET = "set"


@require_safe
def checkups(http: HttpRequest) -> HttpResponse:
    """The page."""
    return _show(http)


@require_POST
def checkup_set(http: HttpRequest) -> HttpResponse:
    """Set one of the company's dates."""
    check_can_manage(person(http))
    form = DateForm(http.POST, auto_id=f"id-{SET}-%s")

    def back(bound: SentenceForm, status: int) -> HttpResponse:
        return _show(http, bound, status)

    def act() -> Checkup:
        return set_date(by=person(http), **form.cleaned_data)

    return do(http, form, act, back, _set_in_words(form) if form.is_valid() else "", "checkups")


def _set_in_words(form: DateForm) -> str:
    """What is said once the date of the form is set."""
    on = form.cleaned_data["on"]
    had = Checkup.objects.counting().filter(on__year=on.year).count()
    return set_in_words(on, _today(), had + 1)


def _today() -> date:
    return timezone.now().astimezone(company_zone()).date()


def _show(http: HttpRequest, bound: SentenceForm | None = None, status: int = 200) -> HttpResponse:
    user = person(http)
    check_can_see_checkups(user)
    seen = Checkup.objects.visible_to(user)
    today = _today()
    inside = sees_every_checkup(user)
    given = Prefetch("signatures", Signature.objects.order_by("pk"))
    page = read_page(seen.filter(started_at__isnull=False).prefetch_related(given), NEWEST_FIRST, http.GET, size=A_PAGE)
    counts = results_by_checkup(CheckupFinding.objects.visible_to(user), page.rows)
    context: dict[str, Any] = {
        "inside": inside,
        "page": page,
        "rows": [(checkup, counts.get(checkup.pk, Results()), _signers(checkup)) for checkup in page.rows],
        "acts": _acts(user, bound),
    }
    if inside:
        context |= {"years": _years(seen, today), "feed": http.build_absolute_uri(feed_address(user)), "today": today}
    return render(http, "checkups/checkups.html", context, status=status)


def _signers(checkup: Checkup) -> list[str]:
    """Whose signatures sealed it: those under what it said then."""
    given = list(checkup.signatures.all()) if checkup.sealed_at else []
    return [one.name for one in given if one.sha256 == given[-1].sha256]


def _years(seen: CheckupQuerySet, today: date) -> list[Year]:
    """From this year to the last one that has a date, and the next one in any case; those before stand in the list below."""
    known = list(seen.filter(on__year__gte=today.year))
    last = max([today.year + 1, *(checkup.on.year for checkup in known)])
    return years_of(known, range(today.year, last + 1), today)


def _acts(user: User, bound: SentenceForm | None) -> list[Act]:
    if not has_permission(user, Permission.MANAGE_CHECKUPS, None):
        return []
    words = (
        "On that date every resource’s latest daily and latest monthly backup, and its copy in the other region, are"
        " restored into scratch, compared with what was backed up, and removed again. Live data is never touched."
        " Two people of IT sign what was found."
    )
    made = Act(
        name=SET, label="Set a date…", title="Set a date", verb="Set this date", icon="calendar-plus", words=words,
        url=reverse("checkup_set"), form=bound or DateForm(auto_id=f"id-{SET}-%s"), main=True,
        refusal="" if bound else refusal(check_can_manage, user), open=bound is not None,
    )  # fmt: skip
    return [made]
