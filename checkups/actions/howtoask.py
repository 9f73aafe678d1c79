"""Saying how a restored copy of a resource is asked, and trying that at once."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from backups.actions.locking import locked_resource
from backups.drivers.base import DriverError
from backups.kinds import driver_of
from backups.models import Backup, Copy, Resource
from checkups.actions.asking import HOLE, address_of, program_of
from checkups.actions.moves import locked_checkup, note
from checkups.actions.testing import request_test
from checkups.actions.versions import tell_of_void_signatures
from checkups.models import ApplicationCheck, Asking, CheckupFinding, Trial
from checkups.models.applicationcheck import MOST_SECONDS
from checkups.models.finding import FindingStatus
from checkups.permissions import check_can_say_how_to_ask, check_can_stop_asking, check_can_try
from checkups.placeholders import why_not_a_query, why_not_an_address
from checkups.workflow import Status
from portal.errors import InvalidInput, PortalError
from portal.history import acting
from portal.models import User
from portal.reasons import checked_reason

LONGEST = 4000
REASON_MISSING = "Say why: the reason is kept with the check."


@dataclass(frozen=True)
class Said:
    """What is asked from now on. ``trial`` tries it, if that was wanted; else ``not_tried`` says why not."""

    check: ApplicationCheck
    trial: Trial | None = None
    not_tried: str = ""


def say_and_try(*, by: User, resource: Resource, way: str, text: str, seconds: int, reason: str, try_now: bool) -> Said:
    """Say how it is asked and, with ``try_now``, have the newest good backup tested with it.

    The check is kept also where it cannot be tried just now. Raises what :func:`say_how_to_ask` raises.
    """
    check = say_how_to_ask(by=by, resource=resource, way=way, text=text, seconds=seconds, reason=reason)
    if not try_now:
        return Said(check)
    try:
        return Said(check, trial=_try(by, resource, reason))
    except PortalError as error:
        return Said(check, not_tried=error.sentence)


def newest_good(resource: Resource) -> Backup | None:
    """The backup on which a check is tried: the newest good one of which a copy is there."""
    copies = Copy.objects.present().filter(backup=OuterRef("pk"))
    return resource.backups.good().filter(Exists(copies)).order_by("-taken_at", "-pk").first()


def _try(by: User, resource: Resource, reason: str) -> Trial:
    newest = newest_good(resource)
    check_can_try(by, resource, newest)
    assert newest is not None  # or it was refused
    regions = sorted(newest.copies.present().values_list("region", flat=True))
    region = resource.home_region if resource.home_region in regions else "".join(regions[:1])
    return request_test(by=by, backup=newest, region=region, reason=reason)


def say_how_to_ask(*, by: User, resource: Resource, way: str, text: str, seconds: int, reason: str) -> ApplicationCheck:
    """From now on a trial of the resource asks that. Raises InvalidInput naming ``way``, ``text`` or ``seconds``.

    Where nothing of it is new, nothing is changed or recorded.
    """
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
    _check_question(resource, way, text)
    with acting(by, reason), transaction.atomic():
        locked_resource(resource.pk)  # a first check has no row to be locked
        row = ApplicationCheck.objects.filter(resource=resource).first() or ApplicationCheck(resource=resource)
        if (row.way, row.text, row.seconds) != (way, text, seconds):
            row.way, row.text, row.seconds = way, text, seconds
            row.save()
            transaction.on_commit(lambda: _tell(by, resource, f"{by} changed how a restored copy is asked", reason))
    return row


def _check_question(resource: Resource, way: str, text: str) -> None:
    """Raises InvalidInput naming ``text`` where no restored copy can be asked that."""
    why_not = ""
    try:
        if way == Asking.HTTP:
            address_of(HOLE.sub("x", text))
            why_not = why_not_an_address(resource.kind, text)
        elif way == Asking.COMMAND:
            program_of(text)
        else:
            why_not = why_not_a_query(resource.kind, resource.settings.get("dbname", ""), text)
    except DriverError as error:
        raise InvalidInput(error.sentence, field="text") from error
    if why_not:
        raise InvalidInput(why_not, field="text")


def _tell(by: User, resource: Resource, text: str, reason: str) -> None:
    """In the records of checkups that look at it and may ask it still: the question is not the one of before."""
    going = [Status.RUNNING.value, Status.PAUSED.value, Status.READY.value]
    for finding in CheckupFinding.objects.filter(resource=resource, checkup__status__in=going):
        with transaction.atomic():
            checkup = locked_checkup(finding.checkup_id)
            finding.refresh_from_db(fields=["status"])
            if checkup.sealed_at is None and finding.status in (FindingStatus.WAITING, FindingStatus.FAILED):
                note(checkup, None, by=by, now=timezone.now(), text=text, reason=reason, finding=finding)
                tell_of_void_signatures(checkup)


def stop_asking(*, by: User, resource: Resource, reason: str) -> None:
    """No check any more: trials end with the comparison. Raises Refused where there is none."""
    with transaction.atomic():
        locked_resource(resource.pk)
        row = ApplicationCheck.objects.filter(resource=resource).first()
        check_can_stop_asking(by, resource, row)
        assert row is not None  # or it was refused
        reason = checked_reason(reason, REASON_MISSING)
        with acting(by, reason):
            row.delete()
            transaction.on_commit(lambda: _tell(by, resource, f"{by} had a restored copy asked no longer", reason))
