"""Exporting charges to accounting: what is charged and was not exported yet, once, under a number."""

from __future__ import annotations

from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from portal.errors import InvalidInput, Refused
from portal.history import acting
from portal.models import User
from portal.permissions import visible
from portal.roles import Permission
from portal.words import company_zone
from restores.ledger import Entry, checksum_of, lines_of, totals_of
from restores.models import Agreement, Charge, ChargeExport, ChargeStatus
from restores.money_permissions import check_can_export

CHARGED = (ChargeStatus.CONFIRMED, ChargeStatus.ADJUSTED)


def to_export(user: User) -> QuerySet[Charge]:
    """What is charged to the person's clients and was not exported."""
    return Charge.objects.filter(
        visible(user, Permission.EXPORT_CHARGES, "client"),
        status__in=CHARGED,
        amount__isnull=False,
        export__isnull=True,
    )


def export_charges(*, by: User, through: date) -> ChargeExport:
    """Export all that was decided until the end of that day of the company's and was not exported yet.

    Raises NotPermitted, InvalidInput naming ``through``, or Refused when there is nothing to export.
    """
    check_can_export(by)
    now = timezone.now()
    if through > now.astimezone(company_zone()).date():
        raise InvalidInput("That day is yet to come. Choose today or an earlier one.", field="through")
    try:
        with acting(by, "exported"), transaction.atomic():
            return _export(by, through, now)
    except IntegrityError as error:
        raise Refused("Another export is being made just now. Look at its lines, then try again.") from error


def _export(by: User, through: date, now: datetime) -> ChargeExport:
    zone = company_zone()
    chosen = to_export(by).select_for_update(of=("self",)).order_by("pk")
    charges = [
        charge
        for charge in chosen.select_related("client", "request__resource", "decided_by")
        if charge.decided_at and charge.decided_at.astimezone(zone).date() <= through
    ]
    if not charges:
        raise Refused("There is nothing to export: what was charged until then is exported already.")
    numbers = dict(
        Agreement.objects.filter(client__in={charge.client_id for charge in charges}).values_list(
            "client", "customer_number"
        )
    )
    entries = [_entry(charge, numbers.get(charge.client_id, "")) for charge in charges]
    export = ChargeExport(pk=_next_number(), created_at=now, created_by=by, count=len(charges))
    export.rows = lines_of(export.number, entries)
    export.totals = {code: str(total.amount) for code, total in totals_of(entries).items()}
    export.checksum = checksum_of(export.rows)
    export.save(force_insert=True)
    for charge in charges:
        charge.export = export
        charge.save()
    return export


def _next_number() -> int:
    """Without gaps: the last one is locked until this one is written."""
    last = ChargeExport.objects.select_for_update().order_by("-pk").values_list("pk", flat=True).first()
    return (last or 0) + 1


def _entry(charge: Charge, customer_number: str) -> Entry:
    amount = charge.charged
    assert amount is not None  # the constraint of what is charged
    assert charge.decided_at is not None
    return Entry(
        charge=charge.pk,
        day=charge.decided_at.astimezone(company_zone()).date(),
        customer_number=customer_number,
        customer=charge.client.name,
        reference=charge.request.number,
        resource=charge.request.resource.name,
        cause=charge.request.get_cause_display(),
        amount=amount,
        decided_by=str(charge.decided_by),
    )
