"""What the cast does at the first start: restores asked for, approved, and really done by the portal's own workers."""

from __future__ import annotations

import time
from datetime import timedelta
from io import BytesIO

from django.db.models import QuerySet
from django.utils import timezone

from backups.drivers.base import Mode
from backups.models import Backup, Resource
from portal.demo.company import person
from portal.supervisor.checks import CannotStart
from portal.words import company_zone
from restores.actions.conversing import Upload, say
from restores.actions.deciding import approve
from restores.actions.filing import file_request
from restores.charging import Cause
from restores.details import Details
from restores.models import Attempt, AttemptStatus, RestoreRequest
from restores.workflow import Status

PATIENCE_SECONDS = 90


def tell_story() -> None:
    """File, approve, wait until the workers are done. Raises CannotStart when a restore fails."""
    approved = [_infrastructure_restore(), _billable_restore()]
    _open_request()
    for request in approved:
        _wait(request)


def proofs() -> list[str]:
    """What the workers proved, a sentence for each of the story's restores."""
    done = Attempt.objects.filter(status=AttemptStatus.COMPLETED).select_related("request__resource").order_by("pk")[:2]
    return [
        f"{one.request.number}, {one.request.resource} {one.request.get_mode_display().lower()}: {one.proof}"
        for one in done
    ]


def _infrastructure_restore() -> RestoreRequest:
    request = file_request(
        by=person("nora"),
        backup=_backups("shop-uploads").filter(taken_at__lt=timezone.now() - timedelta(days=2)).latest("taken_at"),
        mode=Mode.IN_PLACE,
        reason="After last night's disk replacement several product pictures are broken. Please bring the uploads back.",
        cause=Cause.INFRASTRUCTURE,
    )
    return approve(
        by=person("ivo"),
        request=request,
        plan_digest=request.plan_digest,
        typed_name="shop-uploads",
        reason="Agreed: the replaced disk was ours.",
    )


def _billable_restore() -> RestoreRequest:
    request = file_request(
        by=person("sofia"),
        backup=_backups("cms-db").latest("taken_at"),
        mode=Mode.BESIDE,
        reason="Milan asked by phone for a copy of the database, to look up texts that an editor has overwritten.",
        cause=Cause.COPY_WANTED,
    )
    return approve(by=person("tara"), request=request, plan_digest=request.plan_digest, reason="Beside the live one.")


def _open_request() -> None:
    backup = _backups("shop-db").filter(taken_at__lt=timezone.now() - timedelta(days=3)).latest("taken_at")
    assert backup.taken_at is not None
    taken = backup.taken_at.astimezone(company_zone())
    request = file_request(
        by=person("nora"),
        backup=backup,
        mode=Mode.IN_PLACE,
        reason=f"The price import of {taken + timedelta(days=1):%A} wrote wrong prices to all products.",
        cause=Cause.BAD_CHANGE,
        details=Details(
            since_when=f"Since {taken + timedelta(days=1):%A}, in the evening",
            wanted=f"The shop as it was on {taken:%A}",
            must_not_lose="The orders since then: we have them as mails, too.",
        ),
    )
    log = Upload("price-import.log", BytesIO(b"12 products read, 12 prices written, 0 warnings\n"))
    say(by=person("nora"), request=request, text="This is what the import said of itself.", files=[log])
    say(by=person("ivo"), request=request, text="Could the table of prices be enough? Then no order would be lost.")
    note = "Their import has no dry run; this is the second time. Tell the account manager."
    say(by=person("ivo"), request=request, text=note, internal=True)


def _backups(name: str) -> QuerySet[Backup]:
    return Backup.objects.good().filter(resource=Resource.objects.get(name=name))


def _wait(request: RestoreRequest) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while request.state in (Status.APPROVED, Status.RUNNING):
        if time.monotonic() > until:
            raise CannotStart(
                f"{request.number} was not restored within {PATIENCE_SECONDS} s: look at the workers' logs."
            )
        time.sleep(0.2)
        request.refresh_from_db()
    if request.state is not Status.COMPLETED:
        attempt = request.attempts.latest("number")
        raise CannotStart(f"{request.number} failed: {attempt.error} {attempt.error_detail}")
