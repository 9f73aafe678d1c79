"""What was found, in the words that people of clients are given: no paths, no servers, no drivers' errors.

Whoever sees every checkup reads the sentences as they were written.
"""

from __future__ import annotations

from typing import Any

from checkups.models import Check, CheckStatus, CheckupFinding, Trial, TrialStatus
from checkups.outcomes import Fault

STEPS = ("read", "verify")
"""The steps whose sentences name no paths, servers and versions, unless they failed."""


def is_plain(step: dict[str, Any]) -> bool:
    """Whether everybody may read what that step of a trial says."""
    return step["name"] in STEPS and bool(step.get("ok"))


def finding_in_words(finding: CheckupFinding) -> str:
    """What was found about a resource; empty unless something failed."""
    failed = [check for check in finding.checks.all() if check.status == CheckStatus.FAILED]
    return " ".join(f"{check.what_enum.label.capitalize()}: {check_in_words(check)}" for check in failed)


def check_in_words(check: Check) -> str:
    """What was found about one backup: of a failure its kind, of what passed the comparison, else the portal's own words."""
    last = max(check.trials.all(), key=lambda trial: trial.pk, default=None)
    if check.backup_id is None or last is None or check.status not in (CheckStatus.FAILED, CheckStatus.PASSED):
        return check.sentence  # nothing was tried in the end: no driver has said anything
    if check.status == CheckStatus.FAILED and (fault := fault_of(check)):
        return f"{fault}."
    return trial_in_words(last)


def trial_in_words(trial: Trial) -> str:
    """What came of one try."""
    if trial.fault:
        return f"{Fault(trial.fault).label}."
    if trial.status == TrialStatus.PASSED:
        return next((str(step["sentence"]) for step in reversed(trial.steps) if is_plain(step)), "")
    return "It failed." if trial.status == TrialStatus.FAILED else trial.sentence


def fault_of(check: Check) -> str:
    """What was wrong with a failed check, in a few words."""
    if check.backup_id is None:
        return Fault.MISSING.label
    tried = [trial.fault for trial in sorted(check.trials.all(), key=lambda trial: -trial.pk) if trial.fault]
    return Fault(tried[0]).label if tried else ""
