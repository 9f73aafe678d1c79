"""How a trial ends: its row, the check that it is of, and what follows. One function, one transaction."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.db import transaction

from backups.actions.pinning import unpin
from backups.drivers.base import DriverError
from backups.models import Copy
from backups.proof import Proof
from checkups.actions.moves import locked_checkup
from checkups.actions.settling import settle_finding_row
from checkups.actions.steps import NotThere
from checkups.models import Check, CheckStatus, Trial, TrialStatus
from checkups.outcomes import AGAIN_AFTER, TRIES, Fault, advice_for, fault_of
from checkups.scope import What
from checkups.workflow import Status

log = structlog.get_logger(__name__)

WAY = {
    TrialStatus.PASSED: CheckStatus.PASSED,
    TrialStatus.FAILED: CheckStatus.FAILED,
    TrialStatus.INTERRUPTED: CheckStatus.WAITING,
}


def end_trial(
    trial: Trial,
    status: TrialStatus,
    sentence: str,
    now: datetime,
    *,
    reached: Proof | None = None,
    error: Exception | None = None,
    asking: bool = False,
) -> bool:
    """Record the end of a running trial; False, with nothing changed, when another one ended it before.

    A failure that may pass (its server does not answer, no room) puts the check off and is tried again, three times in all;
    so is one whose worker died. ``reached`` of one that failed is what held before: the comparison, when only the
    application did not answer.
    """
    with transaction.atomic():
        check = trial.check_row
        if check is not None:
            locked_checkup(check.finding.checkup_id)
        locked = Trial.objects.select_for_update().get(pk=trial.pk)
        if locked.status != TrialStatus.RUNNING:
            return False
        fault = _fault(error, asking=asking)
        if error is None and reached is not None and reached < Proof(locked.wanted):
            status, fault = TrialStatus.FAILED, Fault.REFUSED
            sentence = (
                f"It was to be proven to “{Proof(locked.wanted).label}”, and was only to “{reached.label}”. {sentence}"
            )
        locked.status, locked.finished_at, locked.wakes_at, locked.waits_for = status, now, None, ""
        locked.reached, locked.sentence = reached, sentence
        locked.detail = error.detail if isinstance(error, DriverError) else repr(error) if error else ""
        if fault is not None:
            locked.fault = fault.value
            locked.advice = advice_for(fault, What(check.what) if check else None, _other_region(locked))
        if status == TrialStatus.INTERRUPTED and check is None:
            locked.advice = "Nothing is known of the backup: test it again."
        if not any(step["name"] == "restore" for step in locked.steps):
            locked.tidied_at = now  # nothing was built: no server need be asked
        else:
            locked.resend_at = now + timedelta(minutes=5)  # should this worker die before its scratch is removed
        locked.save()
        if check is not None:
            _settle(check, locked, fault, now)
        else:
            unpin(locked.label)
    trial.refresh_from_db()
    return True


def _other_region(trial: Trial) -> str:
    """Another region with a good copy of what was tried; empty when there is none."""
    if trial.copy is None:
        return ""
    there = Copy.objects.present().filter(backup=trial.copy.backup_id).exclude(region=trial.copy.region)
    return there.values_list("region", flat=True).first() or ""


def _fault(error: Exception | None, *, asking: bool) -> Fault | None:
    if error is None:
        return None
    if isinstance(error, NotThere):
        return Fault.DAMAGED if error.damaged else Fault.MISSING
    return fault_of(error, asking=asking)


def _settle(check: Check, trial: Trial, fault: Fault | None, now: datetime) -> None:
    check = Check.objects.select_related("finding__checkup").get(pk=check.pk)
    if check.finding.checkup.state is Status.CANCELLED:
        return  # its checks were left when it was cancelled
    status = WAY[TrialStatus(trial.status)]
    may_pass = trial.status == TrialStatus.INTERRUPTED or (fault is not None and fault.may_pass)
    if may_pass:
        again = check.tries < TRIES and check.finding.checkup.state in (Status.RUNNING, Status.PAUSED)
        status = CheckStatus.WAITING if again else CheckStatus.FAILED
    check.status = status
    check.reached = trial.reached if status != CheckStatus.WAITING else None
    check.sentence = "" if status == CheckStatus.WAITING else trial.sentence
    check.not_before = now + AGAIN_AFTER * check.tries if status == CheckStatus.WAITING else None
    check.save()
    settle_finding_row(check.finding, now)
