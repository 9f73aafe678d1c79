"""What the cast does at the first start: restores asked for, approved, and really done by the portal's own workers."""

from __future__ import annotations

import time
from datetime import timedelta
from decimal import Decimal
from io import BytesIO

from django.db.models import QuerySet
from django.utils import timezone

from backups.drivers.base import Mode
from backups.models import Backup, Resource
from portal.demo.cast import MERIDIAN
from portal.demo.company import person
from portal.models import Client
from portal.supervisor.checks import CannotStart
from portal.words import company_zone
from restores.actions.consenting import price_words
from restores.actions.conversing import Upload, say
from restores.actions.deciding import approve
from restores.actions.estimating import estimate_for
from restores.actions.filing import file_request
from restores.actions.prices import publish_card, set_agreement
from restores.charging import Cause
from restores.details import Details
from restores.models import Attempt, AttemptStatus, RestoreRequest
from restores.pricing import Rate
from restores.workflow import Status

PATIENCE_SECONDS = 90


def tell_story() -> None:
    """File, approve, wait until the workers are done. Raises CannotStart when a restore fails."""
    _publish_prices()
    approved = [_infrastructure_restore(), _billable_restore()]
    _open_request()
    _request_that_waits_for_consent()
    for request in approved:
        _wait(request)


def proofs() -> list[str]:
    """What the workers proved, a sentence for each of the story's restores."""
    done = Attempt.objects.filter(status=AttemptStatus.COMPLETED).select_related("request__resource").order_by("pk")[:2]
    return [
        f"{one.request.number}, {one.request.resource} {one.request.get_mode_display().lower()}: {one.proof}"
        for one in done
    ]


def _publish_prices() -> None:
    """A rate card; Meridian has given its consent in advance up to a hundred euros."""
    publish_card(
        by=person("rolf"),
        currency="EUR",
        valid_from=timezone.now().astimezone(company_zone()).date(),
        rates={
            "": Rate(flat=Decimal(40), per_gib=Decimal(2)),
            "postgres": Rate(flat=Decimal(40), per_gib=Decimal(3), per_hour=Decimal(90), usual_hours=Decimal("0.5")),
        },
        let_off_limit=Decimal(100),
        reason="The prices of the year.",
    )
    set_agreement(
        by=person("rolf"),
        client=Client.objects.get(name=MERIDIAN),
        currency="EUR",
        standing_limit=Decimal(100),
        customer_number="10042",
        reason="Their letter of last month.",
    )


def _request_that_waits_for_consent() -> None:
    file_request(
        by=person("sofia"),
        backup=_backups("wiki-pages").latest("taken_at"),
        mode=Mode.BESIDE,
        reason="Nora asked on the phone for yesterday’s wiki, to compare two pages with it.",
        cause=Cause.COPY_WANTED,
    )


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
    estimate = estimate_for(backup, Cause.BAD_CHANGE, timezone.now())
    assert estimate is not None
    request = file_request(
        by=person("nora"),
        backup=backup,
        mode=Mode.IN_PLACE,
        reason=f"The price import of {taken + timedelta(days=1):%A} wrote wrong prices to all products.",
        cause=Cause.BAD_CHANGE,
        accepts=price_words(estimate.total),
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
