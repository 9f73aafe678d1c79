"""How it was done: scope, sample, steps, levels, limits."""

from __future__ import annotations

from backups.proof import PROOF_LABELS, Proof
from checkups.actions.steps import NAMES
from checkups.paper.sheet import Sheet, Told

STEPS = {
    "read": "Where nothing is restored: every stored byte is read and its SHA-256 compared with the recorded one. What a"
    " provider keeps it is asked about.",
    "preflight": "Nothing is begun without room, a compatible version, and a target that is not the live resource.",
    "restore": "A complete restore of the very copy, with strict exits, under names of its own; what is live is never touched.",
    "neutralise": "What would act by itself in the restored copy, such as jobs and subscriptions, is switched off before"
    " anything else happens to it, as far as its kind allows. The JSON says of each try what was.",
    "verify": "What was restored is compared with the manifest that was taken together with the backup.",
    "ask": "Where the resource has a check of its own: the application is asked on the restored copy.",
    "remove": "Whatever came of it, the restored copy is removed. The JSON of the record says when.",
}

MEANINGS = {
    Proof.RECORDED: "The portal wrote it down; nothing was looked at.",
    Proof.PRESENT: "The store, or the provider, has it in full size.",
    Proof.CHECKSUM: "Every stored byte was read; the SHA-256 is the one of the day on which it was taken.",
    Proof.RESTORED: "A real restore of it ended without any error.",
    Proof.CONTENT_MATCHED: "What was restored equals the manifest taken with the backup: rows of each table, or path, size,"
    " mode and digest of each file.",
    Proof.APPLICATION_ANSWERED: "The application, or a question of its own, was answered by what was restored.",
}

LIMITS = {
    "tries_at_once": ("Restores at once", ""),
    "scratch_gb": ("Room for restored copies", " GB"),
    "restored_at_provider_gb": ("Largest resource restored at a provider", " GB"),
}


def write_method(sheet: Sheet, told: Told) -> None:
    """Scope, steps, levels."""
    checkup = told.checkup
    sheet.heading("Scope and method")
    sheet.say(
        "In scope is every resource that is not removed, and every removed one of which a backup is kept, as they were when"
        " the checkup started. Of each the latest daily backup, the latest monthly one and the copy in the other region are"
        " looked at; of a removed one, what is kept. To which level is said before the first of them is restored, and nothing"
        " is reported at a deeper level than was done."
    )
    sheet.ln(1.5)
    seed = "" if checkup.seed in checkup.rule else f" (The seed would have been {checkup.seed}.)"
    sheet.say(f"Sample: {checkup.rule}{seed}")
    if checkup.sample_reason:
        sheet.say(f"Why not all: {checkup.sample_reason}")
    if checkup.limits:
        said = [
            f"{LIMITS[name][0]}: {value}{LIMITS[name][1]}"
            for name, value in sorted(checkup.limits.items())
            if name in LIMITS
        ]
        sheet.say(f"Limits. {'. '.join(said)}.")
    sheet.ln(3)
    sheet.rows(("Step", "What is done"), (28, 82), [(label, STEPS[name]) for name, label in NAMES.items()])
    sheet.ln(3)
    sheet.rows(
        ("Level", "What it means; a higher one includes the lower ones"),
        (28, 82),
        [(PROOF_LABELS[level].capitalize(), meaning) for level, meaning in MEANINGS.items()],
    )
