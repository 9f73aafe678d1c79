"""The sentence that stays in view while a restore is asked for: what will be done, and who pays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.html import format_html
from django.utils.safestring import SafeString

from backups.drivers.base import Driver, Mode
from backups.kinds import driver_of
from backups.models import Backup, Resource
from backups.recovery import expected_recovery
from portal.days import short_day
from portal.models import Client, User
from portal.words import company_zone, span_in_words
from restores.actions.consenting import may_accept, price_words
from restores.actions.estimating import estimate_for
from restores.charging import Cause, Classification, classification_sentence, classify
from restores.models.request import MODE_LABELS
from restores.part import Picked
from restores.pricing import Estimate
from restores.wording import picked_words, sentence_of

SAFEST_FIRST = (Mode.BESIDE, Mode.IN_PLACE, Mode.EXPORT)


@dataclass(frozen=True)
class Summary:
    """What would be asked for. ``charge`` is empty until a cause is picked."""

    sentence: SafeString
    charge: str
    free: bool
    replaces: bool
    client: Client
    estimate: Estimate | None = None
    accepted: bool = False  # whether they have ticked that very price
    interrupts: str = ""  # what applications notice of it; empty where nothing live is replaced
    takes: str = ""  # how long it may take, as measured; empty where nothing was
    accepts: str = ""  # what the reader may accept at once; empty where there is nothing to accept, or not by them


@dataclass(frozen=True)
class Option:
    """One radio button with what choosing it means. ``free`` is None where it has nothing to do with money."""

    value: str
    label: str
    meaning: str
    checked: bool
    free: bool | None = None


def summary_of(
    resource: Resource,
    backup: Backup | None,
    mode: Mode | None,
    cause: Cause | None,
    now: datetime,
    reader: User,
    accepted: str = "",
    part: Picked | None = None,
) -> Summary:
    """The summary of what is picked so far, for whom it is shown to.

    ``accepted`` is the price that they have ticked; ``part`` what alone is asked for.
    """
    estimate = estimate_for(backup, cause, now, part) if backup and cause else None
    price = estimate.total if estimate else None
    if backup is None:
        sentence = format_html("Restore <strong>{}</strong>. Pick the moment to go back to.", resource.name)
    else:
        words = picked_words(resource, part)
        sentence = sentence_of(resource.name, backup, mode or Mode.BESIDE, now, picked=words)
    replaces = mode is Mode.IN_PLACE and part is None
    accepts = price_words(price) if price and price.amount and may_accept(reader, resource.client) else ""
    return Summary(
        sentence=sentence,
        charge=classification_sentence(cause, price) if cause else "",
        free=cause is not None and classify(cause) is Classification.FREE,
        replaces=replaces,
        client=resource.client,
        estimate=estimate,
        interrupts=driver_of(resource.kind).interrupts if replaces else "",
        takes=takes_words(resource, backup, now) if backup and mode is not Mode.EXPORT and part is None else "",
        accepts=accepts,
        accepted=bool(accepts) and accepts == accepted,
    )


def takes_words(resource: Resource, backup: Backup, now: datetime) -> str:
    """ "About 12 min, as measured on 22 Nov when a backup of it was restored to try it out." """
    expected = expected_recovery(resource.recovery_ms, resource.recovery_bytes, backup.source_bytes)
    if expected is None or resource.recovery_at is None:
        return ""
    today, measured = (moment.astimezone(company_zone()).date() for moment in (now, resource.recovery_at))
    words = span_in_words(expected)
    words = words.capitalize() if words.startswith("under") else f"About {words}"
    return f"{words}, as measured on {short_day(measured, today)} when a backup of it was restored to try it out."


def mode_options(
    resource: Resource, driver: Driver, picked: str, export_days: int, *, only_part: bool = False
) -> list[Option]:
    """The places that its kind can be restored to, the safest first; of a part the first alone."""
    meanings = {
        Mode.BESIDE: f"{driver.appears.format(name=resource.name)} The live one stays as it is.",
        Mode.IN_PLACE: (
            f"Everything saved in {resource.name} after the backup’s moment is replaced. "
            f"The present state is kept aside and IT can bring it back. {driver.interrupts}"
        ),
        Mode.EXPORT: f"You get the backup as a file, for {export_days} days. The live one stays as it is.",
    }
    if only_part:
        meaning = f"A new {driver.noun} with nothing but the part appears next to {resource.name}. The live one stays as it is."
        return [Option(Mode.BESIDE.value, MODE_LABELS[Mode.BESIDE], meaning, checked=True)]
    return [
        Option(mode.value, MODE_LABELS[mode], meanings[mode], mode.value == picked)
        for mode in SAFEST_FIRST
        if mode in driver.modes
    ]


def cause_options(picked: str) -> list[Option]:
    """The causes in plain words, each with what it means for the charge."""
    return [
        Option(
            cause.value,
            cause.label,
            classification_sentence(cause),
            cause.value == picked,
            classify(cause) is Classification.FREE,
        )
        for cause in Cause
    ]
