"""The pin of a request on its backup: retention leaves the backup alone from filing to closure.

A completed request stays pinned as long as its restore can be undone or its export fetched, and for the same time where
neither is possible: whoever asked may find only then that another attempt is needed.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import CharField, Exists, F, OuterRef, Q, Value
from django.db.models.functions import Cast, Concat

from backups.actions.pinning import pin, pin_until, unpin
from backups.models import Pin
from restores.models import AttemptStatus, RestoreRequest
from restores.models.request import FIRST_NUMBER
from restores.permissions import last_restore
from restores.workflow import Status

A_TURN = 200
UNDER_WAY = (AttemptStatus.QUEUED, AttemptStatus.RUNNING)


def pin_what_is_not(*, most: int = A_TURN) -> None:
    """What the sweeper does: an open request without a pin gets one, such as one that an older portal filed meanwhile."""
    number = Concat(Value("RR-"), Cast(F("pk") + FIRST_NUMBER, CharField()), output_field=CharField())
    pinned = Pin.objects.filter(backup=OuterRef("backup"), label=OuterRef("label"))
    lacking = (
        RestoreRequest.objects.open().annotate(label=number).filter(~Exists(pinned), ~Q(status=Status.COMPLETED.value))
    )
    for pk in lacking.order_by("pk").values_list("pk", flat=True)[:most]:
        with transaction.atomic():
            settle_pin(RestoreRequest.objects.select_for_update(of=("self",)).select_related("backup").get(pk=pk))


def settle_pin(request: RestoreRequest) -> None:
    """Bring the pin in line with the request and its attempts, in the transaction that changed them."""
    if request.facts.final:
        unpin(request.number)
    elif request.state is Status.COMPLETED and not request.attempts.filter(status__in=UNDER_WAY).exists():
        done = last_restore(request)
        finished = done.finished_at if done and done.finished_at else request.status_changed_at
        ends = finished + timedelta(days=settings.KEEP_ORIGINAL_DAYS)
        pin_until(request.number, max(ends, done.kept_until) if done and done.kept_until else ends)
    else:
        pin(request.backup, request.number, now=request.filed_at)
