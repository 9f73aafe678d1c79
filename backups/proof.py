"""How far a copy was proven. Never claim more than was done."""

from __future__ import annotations

from enum import IntEnum


class Proof(IntEnum):
    """Levels of proof; a higher one includes the lower."""

    RECORDED = 0  # the portal wrote it down
    PRESENT = 1  # the store has an object of that size
    CHECKSUM = 2  # every stored byte was read, the SHA-256 holds
    RESTORED = 3  # a restore of it ended with strict exits
    CONTENT_MATCHED = 4  # what was restored equals the manifest
    APPLICATION_ANSWERED = 5  # the application ran on it

    @property
    def label(self) -> str:
        """The level in words."""
        return PROOF_LABELS[self]


PROOF_LABELS = {
    Proof.RECORDED: "recorded",
    Proof.PRESENT: "present",
    Proof.CHECKSUM: "checksum",
    Proof.RESTORED: "restored",
    Proof.CONTENT_MATCHED: "content matched",
    Proof.APPLICATION_ANSWERED: "application answered",
}
