"""What people of IT do with a checkup that runs: pause, resume, cancel, have something checked again."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from backups.facts import facts_of
from backups.models import Copy, CopyState, Resource
from backups.proof import Proof
from checkups.actions.moves import apply_move, note
from checkups.actions.reminding import look_at_the_year
from checkups.actions.repointing import point
from checkups.actions.settling import settle_finding_row
from checkups.models import ApplicationCheck, Check, CheckStatus, Checkup, CheckupFinding, Trial
from checkups.models.finding import FindingStatus
from checkups.outcomes import Fault
from checkups.permissions import check_can_check_again, check_can_manage
from checkups.scope import Wanted, What, wanted_of
from checkups.workflow import Move, move_refusal, transition
from portal.errors import Refused
from portal.handover import hand_over
from portal.models import User
from portal.permissions import Person
from portal.rules import refusal
from portal.words import company_zone, counted

MOST_AT_ONCE = 200


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

    What was found before stays in the record. What cannot come out otherwise than before is not tried: a copy that was found
    damaged stays so, until the portal has put another in its place. Raises Refused when that holds for all of it, or when
    there is nothing newer.
    """
    check_can_check_again(by, finding)
    now = now or timezone.now()
    name = finding.name

    def alter(locked: Checkup) -> None:
        row = CheckupFinding.objects.select_related("checkup", "resource").get(pk=finding.pk)
        row.checkup = locked
        check_can_check_again(by, row)
        for check in _again(list(row.checks.filter(status=CheckStatus.FAILED)), row.resource, newest, now):
            _put_back(check)
        settle_finding_row(row, now)
        locked.finished_at = None
        transaction.on_commit(partial(hand_over, "checkups.dispatch"))

    kind = "a newer backup" if newest else "the same backups"
    text = f"{by} had {name} checked again, with {kind}"
    apply_move(
        finding.checkup, Move.CHECK_AGAIN, by=by, now=now, text=text, reason=reason, finding=finding, alter=alter
    )
    finding.refresh_from_db()
    return finding


def untried_of(checkup: Checkup) -> QuerySet[CheckupFinding]:
    """The failed findings with something that could not be tried, because its server was away: nothing is known of it."""
    last = Trial.objects.filter(check_row=OuterRef("pk")).order_by("-pk").values("fault")[:1]
    away = Check.objects.filter(finding=OuterRef("pk"), status=CheckStatus.FAILED).annotate(last=Subquery(last))
    return checkup.findings.filter(Exists(away.filter(last=Fault.AWAY.value)), status=FindingStatus.FAILED)


def check_can_check_untried_again(user: Person, checkup: Checkup) -> None:
    """IT has what could not be tried tried again, where there is any."""
    check_can_manage(user)
    if transition(checkup.state, Move.CHECK_AGAIN) is None:
        raise Refused(move_refusal(checkup.state, Move.CHECK_AGAIN))
    if not untried_of(checkup).exists():
        raise Refused(
            "There is nothing that could not be tried. What failed otherwise is checked again on its own page."
        )


def check_untried_again(*, by: User, checkup: Checkup, now: datetime | None = None) -> int:
    """Have what could not be tried, of ``MOST_AT_ONCE`` resources at most, tried once more; of how many.

    After an outage that is everything in a large company. Raises Refused when there is nothing of the kind.
    """
    check_can_check_untried_again(by, checkup)
    now = now or timezone.now()
    chosen = list(untried_of(checkup).order_by("pk").values_list("pk", flat=True)[:MOST_AT_ONCE])

    def alter(locked: Checkup) -> None:
        for finding in untried_of(locked).filter(pk__in=chosen).select_related("resource"):
            finding.checkup = locked
            for check in finding.checks.filter(status=CheckStatus.FAILED):
                if _could_not_be_tried(check):
                    _put_back(check)
            settle_finding_row(finding, now)
            note(locked, None, by=by, now=now, text=f"{by} had it checked again", finding=finding)
        locked.finished_at = None
        transaction.on_commit(partial(hand_over, "checkups.dispatch"))

    text = f"{by} had {counted(len(chosen), 'resource')} checked again that could not be tried"
    apply_move(checkup, Move.CHECK_AGAIN, by=by, now=now, text=text, alter=alter)
    return len(chosen)


def _could_not_be_tried(check: Check) -> bool:
    last = check.trials.order_by("-pk").first()
    return last is not None and last.fault == Fault.AWAY


def _put_back(check: Check) -> None:
    """It waits to be tried, as if it never had been."""
    check.status, check.sentence, check.reached = CheckStatus.WAITING, "", None
    check.tries, check.not_before = 0, None
    check.save()


def _again(failed: list[Check], resource: Resource, newest: bool, now: datetime) -> list[Check]:
    """Those of the failed checks that are tried again, pointed to the backups that are tried; not saved yet.

    With ``newest`` what has nothing newer is tried on the same once more. Raises Refused when none of them can be tried, or
    none is newer.
    """
    refusals: list[Refused] = []
    chosen, newer = [], False
    for check in failed:
        try:
            if newest or check.backup is None:
                _take_newest(check, resource, now)
                newer = True
            else:
                check_may_pass(check)
            chosen.append(check)
        except Refused as refusal:
            refusals.append(refusal)
            if newest and check.backup is not None and not refusal_to_try(check):
                chosen.append(check)
    if not chosen or (newest and not newer):
        raise refusals[0]
    return chosen


def refusal_to_try(check: Check) -> str:
    """Why the same backup cannot pass if it is tried again; empty when it may."""
    return refusal(check_may_pass, check)


def check_may_pass(check: Check) -> None:
    """Raises Refused where no copy of the backup stands any more that could pass, nor one that has taken its place.

    So it does where the application was to be asked, and nobody says how any more.
    """
    resource = check.finding.resource_id
    if check.declared >= Proof.APPLICATION_ANSWERED and not ApplicationCheck.objects.filter(resource=resource).exists():
        raise Refused(
            "It was declared that the application is asked. Say again how, on the resource's page, then check it again."
        )
    there = Copy.objects.filter(region=check.region, state__in=[CopyState.WRITING, CopyState.PRESENT])
    stands_in = Q(backup__resource=resource) if check.what == What.ELSEWHERE else Q(pk=None)
    if not there.filter(Q(backup=check.backup_id) | stands_in).exists():
        raise Refused(
            f"No good copy of it stands in {check.region} any more, and one that was found damaged is never taken for good"
            f" again. {_what_instead(check)}"
        )


def _what_instead(check: Check) -> str:
    if check.what == What.ELSEWHERE:
        return "Have it checked again once the portal has put another in its place."
    if Copy.objects.present().filter(backup=check.backup_id).exists():
        return "Have it checked again once the portal has made a new one of the copy in the other region."
    if check.what == What.KEPT:
        return "The resource is removed: there is no other to check in its stead."
    return "Take a fresh backup, then have the newest one checked."


def _take_newest(check: Check, resource: Resource, now: datetime) -> None:
    """Point the failed check to what it would be of now. Raises Refused when that is the same as before.

    What was daily and monthly in one and is not any more becomes two checks: the monthly that failed stays looked at.
    """
    wanted = {one.what: one for one in wanted_of(facts_of(resource, now), now=now, zone=company_zone())}
    what = What(check.what)
    if what is What.KEPT:
        raise Refused("All that is kept of it is in the scope already: there is nothing newer. Check the same again.")
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
