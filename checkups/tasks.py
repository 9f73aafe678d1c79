"""Celery's doors to the actions: load, call, done."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from checkups.actions import (
    declaring,
    dispatching,
    reminding,
    scratch,
    settling,
    signing,
    sweeping,
    telling,
    trying,
    watching,
)
from checkups.models import Checkup


@shared_task(name="checkups.sweep")
def sweep() -> None:
    """Start what is due, hand over what waits, give up what stopped."""
    now = timezone.now()
    sweeping.sweep_checkups(now, lost_before=now - timedelta(seconds=settings.HEARTBEAT_LOST_SECONDS))


@shared_task(name="checkups.declare")
def declare(checkup_id: int) -> None:
    """Write down the scope of a checkup that has started, then begin."""
    declaring.declare(Checkup.objects.get(pk=checkup_id), timezone.now())
    dispatching.dispatch(timezone.now())


@shared_task(name="checkups.work_out")
def work_out(checkup_id: int) -> None:
    """Read the record that waits for signatures, and keep its hash."""
    signing.work_out(Checkup.objects.get(pk=checkup_id))


@shared_task(name="checkups.seal")
def seal(checkup_id: int) -> None:
    """Complete the record that two people have signed."""
    signing.seal(Checkup.objects.get(pk=checkup_id), timezone.now())


@shared_task(name="checkups.close_cancelled")
def close_cancelled(checkup_id: int) -> None:
    """Leave what a cancelled checkup had not checked, and let go of its backups."""
    settling.close_cancelled(Checkup.objects.get(pk=checkup_id), timezone.now())


@shared_task(name="checkups.dispatch")
def dispatch() -> None:
    """Queue what the running checkup may try now."""
    dispatching.dispatch(timezone.now())


@shared_task(name="checkups.try")
def try_backup(trial_id: int) -> None:
    """Carry out a trial."""
    trying.perform_trial(trial_id)


@shared_task(name="checkups.go_on")
def go_on(trial_id: int) -> None:
    """Ask a provider again for which a trial waits."""
    trying.go_on(trial_id)


@shared_task(name="checkups.tidy")
def tidy(trial_id: int) -> None:
    """Remove the scratch of a trial that is over."""
    scratch.remove_scratch(trial_id)


@shared_task(name="checkups.remind")
def remind() -> None:
    """Mail IT about dates that are near; bring the findings about dates up to date; tell what could not be told before."""
    now = timezone.now()
    reminding.look_at_the_year(now)
    reminding.remind(now)
    telling.tell_ready()
    telling.tell_tasks()


@shared_task(name="checkups.watch_records")
def watch_records() -> None:
    """See that signed records still say what was signed."""
    watching.watch_records(timezone.now())


@shared_task(name="checkups.tell_ready")
def tell_ready() -> None:
    """Mail IT which checkups wait for two signatures."""
    telling.tell_ready()


@shared_task(name="checkups.tell_tasks")
def tell_tasks() -> None:
    """Mail the owners of tasks that are new to them."""
    telling.tell_tasks()
