"""Saying how a restored copy of a resource is asked."""

from __future__ import annotations

from django.db import transaction

from backups.drivers.base import DriverError
from backups.kinds import driver_of
from backups.models import Resource
from checkups.actions.asking import HOLE, address_of, program_of
from checkups.models import ApplicationCheck, Asking
from checkups.models.applicationcheck import MOST_SECONDS
from checkups.permissions import check_can_say_how_to_ask
from checkups.placeholders import why_not_an_address
from portal.errors import InvalidInput
from portal.history import acting
from portal.models import User
from portal.reasons import checked_reason

LONGEST = 4000
REASON_MISSING = "Say why: the reason is kept with the check."


def say_how_to_ask(*, by: User, resource: Resource, way: str, text: str, seconds: int, reason: str) -> ApplicationCheck:
    """From now on a trial of the resource asks that. Raises InvalidInput naming ``way``, ``text`` or ``seconds``."""
    check_can_say_how_to_ask(by, resource)
    reason, text = checked_reason(reason, REASON_MISSING), text.strip()
    if way not in Asking.values:
        raise InvalidInput("Choose how it is asked.", field="way")
    if not 1 <= seconds <= MOST_SECONDS:
        raise InvalidInput(f"Choose from 1 to {MOST_SECONDS:,} seconds.", field="seconds")
    if not text or len(text) > LONGEST:
        raise InvalidInput(f"Say what is asked, in {LONGEST:,} characters at most.", field="text")
    if way == Asking.SQL and not driver_of(resource.kind).answers:
        raise InvalidInput(
            "A resource of this kind cannot be asked by SQL. Use a web address or a program.", field="way"
        )
    try:
        if way == Asking.HTTP:
            address_of(HOLE.sub("x", text))
            if refusal := why_not_an_address(resource.kind, text):
                raise InvalidInput(refusal, field="text")
        elif way == Asking.COMMAND:
            program_of(text)
    except DriverError as error:
        raise InvalidInput(error.sentence, field="text") from error
    with acting(by, reason), transaction.atomic():
        row = ApplicationCheck.objects.select_for_update().filter(resource=resource).first()
        row = row or ApplicationCheck(resource=resource)
        row.way, row.text, row.seconds = way, text, seconds
        row.save()
    return row


def stop_asking(*, by: User, resource: Resource, reason: str) -> None:
    """No check any more: trials end with the comparison."""
    check_can_say_how_to_ask(by, resource)
    with acting(by, checked_reason(reason, REASON_MISSING)), transaction.atomic():
        for row in ApplicationCheck.objects.select_for_update().filter(resource=resource):
            row.delete()
