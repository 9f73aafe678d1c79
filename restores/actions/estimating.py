"""What a restore would cost by the rate card that is in force."""

from __future__ import annotations

from datetime import date, datetime

from django.conf import settings

from backups.models import Backup
from portal.models import Client
from portal.words import company_zone
from restores.charging import Cause, Classification, classify
from restores.models import Agreement, Rate, RateCard
from restores.part import Picked
from restores.pricing import Estimate, work_out


def currency_of(client: Client | None) -> str:
    """The client's currency, or the company's, which also holds without a client."""
    agreed = client and Agreement.objects.filter(client=client).values_list("currency", flat=True).first()
    return agreed or settings.DEFAULT_CURRENCY


def card_in_force(currency: str, day: date) -> RateCard | None:
    """The rate card of that currency on one of the company's days."""
    return RateCard.objects.filter(currency=currency, valid_from__lte=day).order_by("-valid_from").first()


def estimate_for(backup: Backup, cause: Cause, now: datetime, picked: Picked | None = None) -> Estimate | None:
    """The estimate for restoring the backup, or a part of it by the part's size.

    None where it is free by its cause, or no rate is set for it.
    """
    if classify(cause) is Classification.FREE:
        return None
    resource = backup.resource
    currency = currency_of(resource.client)
    card = card_in_force(currency, now.astimezone(company_zone()).date())
    if card is None:
        return None
    rates = {rate.kind: rate for rate in Rate.objects.filter(card=card, kind__in=["", resource.kind])}
    rate = rates.get(resource.kind) or rates.get("")
    if rate is None:
        return None
    size = picked.size if picked else backup.source_bytes or 0
    return work_out(rate.facts, currency, card=card.pk, size=size)
