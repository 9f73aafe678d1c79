"""What people of IT do with a checkup that runs: pause, resume, cancel, have something checked again."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.db import IntegrityError, transaction
from django.utils import timezone

from backups.facts import facts_of
from backups.models import Resource
from checkups.actions.moves import apply_move
from checkups.actions.reminding import look_at_the_year
from checkups.actions.repointing import point
from checkups.actions.settling import settle_finding_row
from checkups.models import Check, CheckStatus, Checkup, CheckupFinding
from checkups.permissions import check_can_check_again, check_can_manage
from checkups.scope import Wanted, What, wanted_of
from checkups.workflow import Move
from portal.errors import Refused
from portal.handover import hand_over
from portal.models import User
from portal.words import company_zone


def pause(*, by: User, checkup: Checkup, reason: str, now: datetime | None = None) -> Checkup:
    """Begin nothing more until it is resumed; what runs now is carried to its end."""
    check_can_manage(by)
    return apply_move(checkup, Move.PAUSE, by=by, now=now or timezone.now(), reason=reason)


def resume(*, by: User, checkup: Checkup, now: datetime | None = None) -> Checkup:
    """Go on where it was paused. Raises Refused while another checkup runs."""
    check_can_manage(by)
    try:
        resumed = apply_move(checkup, Move.RESUME, by=by, now=now or timezone.now())
    except IntegrityError:
        raise Refused("Another checkup is running. Resume this one once that is done.") from None
    hand_over("checkups.dispatch")
    return resumed


def cancel(*, by: User, checkup: Checkup, reason: str, now: datetime | None = None) -> Checkup:
    """Give it up: what runs is stopped, scratch is removed, what was found so far stays in its record."""
    check_can_manage(by)
    now = now or timezone.now()
    cancelled = apply_move(checkup, Move.CANCEL, by=by, now=now, reason=reason)
    look_at_the_year(now)
    hand_over("checkups.sweep")  # which leaves what waits, and lets go of the backups
    return cancelled


def check_again(
    *, by: User, finding: CheckupFinding, newest: bool = False, reason: str = "", now: datetime | None = None
) -> CheckupFinding:
    """Have the failed checks of a finding tried again: the same backups, or the ``newest`` ones that stand there by now.

    What was found before stays in the record. Raises Refused when there is nothing newer.
    """
    check_can_check_again(by, finding)
    now = now or timezone.now()
    name = finding.name

    def alter(locked: Checkup) -> None:
        row = CheckupFinding.objects.select_related("checkup", "resource").get(pk=finding.pk)
        row.checkup = locked
        check_can_check_again(by, row)
        failed = list(row.checks.filter(status=CheckStatus.FAILED))
        if newest:
            _take_newer_ones(failed, row.resource, now)
        for check in failed:
            if check.backup is None:
                _take_newest(check, row.resource, now)
            check.status, check.sentence, check.reached = CheckStatus.WAITING, "", None
            check.tries, check.not_before = 0, None
            check.save()
        settle_finding_row(row, now)
        locked.finished_at = None
        transaction.on_commit(partial(hand_over, "checkups.dispatch"))

    kind = "a newer backup" if newest else "the same backups"
    text = f"{by} had {name} checked again, with {kind}"
    apply_move(finding.checkup, Move.CHECK_AGAIN, by=by, now=now, text=text, reason=reason, alter=alter)
    finding.refresh_from_db()
    return finding


def _take_newer_ones(failed: list[Check], resource: Resource, now: datetime) -> None:
    """What has nothing newer is tried on the same once more. Raises Refused when nothing has."""
    refusals = []
    for check in failed:
        try:
            _take_newest(check, resource, now)
        except Refused as refusal:
            refusals.append(refusal)
    if len(refusals) == len(failed):
        raise refusals[0]


def _take_newest(check: Check, resource: Resource, now: datetime) -> None:
    """Point the failed check to what it would be of now. Raises Refused when that is the same as before.

    What was daily and monthly in one and is not any more becomes two checks: the monthly that failed stays looked at.
    """
    wanted = {one.what: one for one in wanted_of(facts_of(resource, now), now=now, zone=company_zone())}
    what = What(check.what)
    if what is What.BOTH and What.BOTH not in wanted and What.DAILY in wanted:
        _check_is_newer(check, wanted[What.DAILY])
        daily = Check(finding=check.finding, what=What.DAILY.value, declared=check.declared)
        point(daily, wanted[What.DAILY], now)
        daily.save()
        check.what = What.MONTHLY.value
        point(check, wanted[What.MONTHLY], now)
        return
    one = wanted.get(what) or (wanted.get(What.BOTH) if what in (What.DAILY, What.MONTHLY) else None)
    if one is None:
        raise Refused(f"{resource} has nothing any more that could be checked as the {what.label}.")
    _check_is_newer(check, one)
    point(check, one, now)


def _check_is_newer(check: Check, one: Wanted) -> None:
    if one.backup is None or one.backup == check.backup_id:
        raise Refused(
            f"There is no newer backup that could be checked as the {check.what_enum.label}. Take one first, or check the"
            " same again."
        )
