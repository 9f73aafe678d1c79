"""What a level of proof means, in a sentence for people."""

from __future__ import annotations

from django import template

from backups.proof import Proof

register = template.Library()

SENTENCES = {
    Proof.RECORDED: "The portal wrote it down; nothing was looked at yet.",
    Proof.PRESENT: "The store has it, in its full size.",
    Proof.CHECKSUM: "Every stored byte was read, and the checksum holds.",
    Proof.RESTORED: "It was really restored, without an error.",
    Proof.CONTENT_MATCHED: "It was really restored, and what came back is what was backed up.",
    Proof.APPLICATION_ANSWERED: "It was really restored, and the application ran on it.",
}


@register.filter
def proof_sentence(level: Proof) -> str:
    """What was done to prove a copy so far, and no more."""
    return SENTENCES[level]
