"""The demo's checkups: one that was carried out, by restoring for real, and signed; and the dates to come."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.utils import timezone

from checkups.actions.dates import set_date
from checkups.actions.declaring import declare, start_due
from checkups.actions.dispatching import dispatch
from checkups.actions.scratch import remove_scratch
from checkups.actions.signing import sign, standing
from checkups.actions.trying import perform_trial
from checkups.models import Checkup, Trial
from checkups.workflow import Status
from portal.demo.calendar import checkup_dates
from portal.demo.company import person
from portal.supervisor.checks import CannotStart
from portal.words import company_zone

CHECKED_NIGHTS_AGO = 12
SET_BEFORE = timedelta(days=40)


def check_all(moment: datetime) -> None:
    """What the workers did on the date, with their clocks set back; two people signed in the morning."""
    on = moment.astimezone(company_zone()).date()
    checkup = set_date(by=person("ivo"), on=on, now=moment - SET_BEFORE)
    clock = _set_back(moment)
    start_due(clock())
    declare(Checkup.objects.get(pk=checkup.pk), clock())
    while dispatch(clock()):
        for trial in Trial.objects.open():
            perform_trial(trial.pk, clock=clock)
            remove_scratch(trial.pk, clock=clock)
    checkup.refresh_from_db()
    if checkup.state is not Status.READY:
        raise CannotStart(f"The demo's checkup is {checkup.status}: {Trial.objects.exclude(status='passed').first()}")
    for name, words, hours in (
        ("ivo", "Every backup came back as it was. The restored copies are gone.", 3),
        ("tara", "I looked at each finding and at the times.", 4),
    ):
        digest = standing(checkup).digest
        sign(by=person(name), checkup=checkup, digest=digest, statement=words, now=moment + timedelta(hours=hours))


def plan_next() -> None:
    """The dates that are set: two for this year, and two for the next one."""
    past = list(Checkup.objects.counting().values_list("on", flat=True))
    for on in checkup_dates(timezone.now().astimezone(company_zone()).date(), past):
        set_date(by=person("ivo"), on=on)


def _set_back(moment: datetime) -> Callable[[], datetime]:
    """A clock that said so when it was started, and goes on."""
    began = timezone.now()
    return lambda: moment + (timezone.now() - began)
