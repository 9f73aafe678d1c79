"""What kinds of failure a trial can have, and what to do next. Pure."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from backups.drivers.base import DamagedBackup, DriverError, NotAnswered, NotAsBackedUp
from backups.stores.base import NotStored
from checkups.scope import What


class Fault(StrEnum):
    """What was wrong."""

    MISSING = "missing"
    DAMAGED = "damaged"
    DIFFERS = "differs"
    SILENT = "silent"
    AWAY = "away"
    REFUSED = "refused"
    PORTAL = "portal"

    @property
    def label(self) -> str:
        """In words."""
        return FAULT_LABELS[self]

    @property
    def may_pass(self) -> bool:
        """Whether trying again by itself makes sense: nothing is known of the backup."""
        return self is Fault.AWAY


FAULT_LABELS = {
    Fault.MISSING: "Not there",
    Fault.DAMAGED: "Damaged",
    Fault.DIFFERS: "Not as backed up",
    Fault.SILENT: "The application’s check failed",
    Fault.AWAY: "Could not be tried",
    Fault.REFUSED: "Could not be restored",
    Fault.PORTAL: "A fault in the portal",
}

TRIES = 3
"""So often something is tried whose failure may pass."""

AGAIN_AFTER = timedelta(minutes=10)

_FRESH = "Take a fresh backup, then have it checked again."

_ADVICE = {
    Fault.DAMAGED: {
        What.ELSEWHERE: "The portal makes a new copy from the home region. Have it checked again once it stands.",
        What.KEPT: "The resource is removed, and this is its last backup: see whether any part of it can be saved.",
    },
    Fault.MISSING: {
        What.ELSEWHERE: "See that the other region can be written to; the portal copies again. Then have it checked again.",
        What.KEPT: "The resource is removed, and nothing of it is left: tell the client.",
    },
    Fault.DIFFERS: {
        What.ELSEWHERE: "Test the copy in the home region as well: it tells whether the backup or its copying is at fault.",
        What.KEPT: "The resource is removed, and this is its last backup: see what of it restores rightly, and hold it.",
    },
}
_ANY = {
    Fault.DAMAGED: f"Restore an earlier backup meanwhile. {_FRESH}",
    Fault.MISSING: _FRESH,
    Fault.DIFFERS: f"Restore none of it in place before somebody has looked. {_FRESH}",
    Fault.SILENT: "See what the application's check asks, and whether the same backup answers by hand.",
    Fault.AWAY: "See that the server on which it is tried can be reached and has room, then have it checked again.",
    Fault.REFUSED: "See to what the sentence says, then have it checked again.",
    Fault.PORTAL: "Look into the workers' log, then have it checked again.",
}


def advice_for(fault: Fault, what: What | None, other: str = "") -> str:
    """What to do next. ``what`` is None where somebody tested a backup outside of any checkup.

    ``other`` is another region with a good copy of the same backup: restores use that, and the portal repairs from it.
    """
    if other and fault in (Fault.DAMAGED, Fault.MISSING) and what is not What.ELSEWHERE:
        return (
            f"Restores use its copy in {other} meanwhile, from which the portal makes a new one here. Have it checked again once"
            " that stands."
        )
    special = _ADVICE.get(fault, {})
    return special[what] if what in special else _ANY[fault]


def fault_of(error: Exception, *, asking: bool) -> Fault:
    """What kind of failure an error is; ``asking``: it came from asking the application."""
    if isinstance(error, DamagedBackup):
        return Fault.MISSING if _is_missing(error) else Fault.DAMAGED
    if isinstance(error, NotAsBackedUp):
        return Fault.DIFFERS
    if isinstance(error, NotAnswered) or (asking and isinstance(error, DriverError)):
        return Fault.SILENT
    if isinstance(error, DriverError):
        return Fault.AWAY if error.retry else Fault.REFUSED
    return Fault.AWAY if isinstance(error, OSError) else Fault.PORTAL


def _is_missing(error: BaseException | None) -> bool:
    """Whether something is not stored at all, rather than stored wrongly."""
    return error is not None and (isinstance(error, NotStored) or _is_missing(error.__cause__))
