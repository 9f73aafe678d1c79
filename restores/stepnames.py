"""The steps of a restore, per mode, with their names for people. Pure."""

from __future__ import annotations

from enum import StrEnum

from backups.drivers.base import Mode


class StepName(StrEnum):
    """One step."""

    PREFLIGHT = "preflight"
    PIN = "pin"
    RESTORE = "restore"
    VERIFY = "verify"
    CHECKSUM = "checksum"
    STOP_WRITERS = "stop_writers"
    SWAP = "swap"
    HEALTH = "health"
    HAND_OVER = "hand_over"
    SWAP_BACK = "swap_back"

    @property
    def label(self) -> str:
        """The step's name on pages."""
        return LABELS[self]


TECHNICAL = frozenset({StepName.PREFLIGHT, StepName.HEALTH})
"""Steps whose sentences name paths, versions and servers: only people with VIEW_TECHNICAL read them."""

LABELS = {
    StepName.PREFLIGHT: "Check beforehand",
    StepName.PIN: "Hold the backup",
    StepName.RESTORE: "Restore beside the live data",
    StepName.VERIFY: "Compare with the manifest",
    StepName.CHECKSUM: "Read every stored byte",
    StepName.STOP_WRITERS: "Keep applications off",
    StepName.SWAP: "Swap",
    StepName.HEALTH: "Health check",
    StepName.HAND_OVER: "Hand over",
    StepName.SWAP_BACK: "Bring the original back",
}

STEPS: dict[Mode, tuple[StepName, ...]] = {
    Mode.IN_PLACE: (
        StepName.PREFLIGHT,
        StepName.PIN,
        StepName.RESTORE,
        StepName.VERIFY,
        StepName.STOP_WRITERS,
        StepName.SWAP,
        StepName.HEALTH,
        StepName.HAND_OVER,
    ),
    Mode.BESIDE: (StepName.PREFLIGHT, StepName.PIN, StepName.RESTORE, StepName.VERIFY, StepName.HAND_OVER),
    Mode.EXPORT: (StepName.PREFLIGHT, StepName.PIN, StepName.CHECKSUM, StepName.HAND_OVER),
}

UNDO_STEPS = (StepName.PREFLIGHT, StepName.STOP_WRITERS, StepName.SWAP_BACK, StepName.HAND_OVER)
