"""Celery's doors to the actions: load, call, done."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from backups.actions.daily import once_a_day
from portal.telling import tell_it
from restores.actions import cleaning, digesting, sending, tidying
from restores.actions.expiring import expire_requests
from restores.actions.performing import go_on, perform_restore
from restores.actions.sweeping import sweep_restores
from restores.actions.sweeping_attachments import sweep_attachments
from restores.actions.undoing import perform_undo
from restores.models import Incident


@shared_task(name="restores.restore")
def restore(request_id: int) -> None:
    """Carry out an approved request."""
    perform_restore(request_id)


@shared_task(name="restores.restore_first")
def restore_first(request_id: int) -> None:
    """Carry out a request of an incident: the same work, before all others in the queue."""
    perform_restore(request_id)


@shared_task(name="restores.undo")
def undo(attempt_id: int) -> None:
    """Bring the original back."""
    perform_undo(attempt_id)


@shared_task(name="restores.go_on")
def continue_attempt(attempt_id: int) -> None:
    """Ask a provider again for which an attempt waits."""
    go_on(attempt_id)


@shared_task(name="restores.clean_up")
def clean_up(attempt_id: int) -> None:
    """Clean up after an interrupted attempt."""
    cleaning.clean_up(attempt_id)


@shared_task(name="restores.sweep")
def sweep() -> None:
    """Send again what was lost; mark what stopped."""
    now = timezone.now()
    expire_requests(now)
    sweep_restores(now, lost_before=now - timedelta(seconds=settings.HEARTBEAT_LOST_SECONDS))


@shared_task(name="restores.tidy")
def tidy() -> None:
    """Remove what is no longer kept."""
    tidying.warn_of_what_goes(timezone.now())
    tidying.tidy()
    sweep_attachments(timezone.now())
    sending.forget_old(timezone.now())


@shared_task(name="restores.send")
def send() -> None:
    """Send the mail and the messages that are due."""
    sending.send_due()


@shared_task(name="restores.digests")
def digests() -> None:
    """Have the digests of people sent, once a day."""
    once_a_day("people-digests", settings.DIGEST_HOUR, digesting.write_digests)


@shared_task(name="restores.tell_incident")
def tell_incident(incident_id: int) -> None:
    """Mail IT about an incident that was declared or proposed."""
    incident = Incident.objects.filter(pk=incident_id).first()
    if incident is not None:
        tell_it("incident", {"incident": incident})
