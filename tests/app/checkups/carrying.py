"""A checkup carried out in this process, the way workers and the sweeper do it together."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.utils import timezone

from checkups.actions.dates import set_date
from checkups.actions.declaring import declare
from checkups.actions.dispatching import dispatch
from checkups.actions.scratch import remove_scratch
from checkups.actions.settling import close_cancelled
from checkups.actions.sweeping import sweep_checkups
from checkups.actions.trying import go_on, perform_trial
from checkups.models import Check, Checkup, Trial
from checkups.workflow import Status
from portal.words import company_zone
from tests.app.world import World


def today() -> date:
    return timezone.now().astimezone(company_zone()).date()


def begun(world: World, *, share: int = 100, reason: str = "") -> Checkup:
    """A checkup of today, started, with its first tries queued."""
    checkup = set_date(by=world.it, on=today(), share=share, sample_reason=reason)
    sweep()
    checkup.refresh_from_db()
    return checkup


def sweep(now: datetime | None = None) -> None:
    now = now or timezone.now()
    sweep_checkups(now, lost_before=now - timedelta(seconds=60))
    for checkup in Checkup.objects.filter(status=Status.RUNNING.value, declared_at__isnull=True):  # handed over
        declare(checkup, now)
        dispatch(now)
    for checkup in Checkup.objects.filter(status=Status.CANCELLED.value):
        close_cancelled(checkup, now)


def carried_out(checkup: Checkup, *, later: timedelta = timedelta()) -> Checkup:
    """Everything that may be tried now is tried. ``later``: the sweeper's clock, for what was put off."""
    for _ in range(500):
        sweep(timezone.now() + later)
        under_way = list(Trial.objects.open())
        if not under_way:
            break
        for trial in under_way:
            perform_trial(trial.pk)
            go_on(trial.pk)  # one that sleeps until its provider is done is woken at once
        for trial in Trial.objects.untidied():
            remove_scratch(trial.pk)
    checkup.refresh_from_db()
    return checkup


def checks_of(checkup: Checkup, name: str) -> dict[str, Check]:
    """The checks of that resource, by what they are of."""
    return {check.what: check for check in Check.objects.filter(finding__checkup=checkup, finding__name=name)}
