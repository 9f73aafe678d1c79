"""The one way work is handed over to Celery: by name, after commit, and never failing the change it follows from.

What could not be sent (no broker) is found by the sweepers, which look at rows, not at messages.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from celery import current_app
from django.db import transaction

log = structlog.get_logger(__name__)

LONGEST_WAIT = timedelta(minutes=5)


def hand_over(task: str, *args: int | str) -> None:
    """Send the task of that name with plain ``args`` once the current transaction has committed."""
    transaction.on_commit(lambda: _send(task, args))


def _send(task: str, args: tuple[int | str, ...]) -> None:
    try:
        current_app.send_task(task, args=args)
    except Exception as error:  # any broker, any fault: the row is committed and the sweeper will send again
        log.warning("handover.not_sent", task=task, args=args, error=type(error).__name__)


def next_resend(waiting_since: datetime, now: datetime) -> datetime:
    """When to send again what still waits: each time after twice the wait, so a long queue is not flooded, but soon."""
    waited = now - waiting_since
    return now + (min(waited, LONGEST_WAIT) if waited >= timedelta(0) else LONGEST_WAIT)
