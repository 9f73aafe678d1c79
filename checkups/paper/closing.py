"""The end: what has changed since the last checkup, what happened, who signed, and how to verify it."""

from __future__ import annotations

from checkups.actions.recording import signatures_of
from checkups.comparison import Comparison
from checkups.models import Checkup, Signature
from checkups.paper.sheet import Sheet, Told
from checkups.workflow import Move
from portal.paper import BAD, SMALL, SOFT
from portal.words import counted

MOST_EVENTS = 500
NEEDED = 2


def write_comparison(sheet: Sheet, comparison: Comparison) -> None:
    """Against the one before."""
    sheet.heading(f"Since {comparison.before}" if comparison.before else "Since the last checkup")
    for sentence in comparison.sentences:
        sheet.say(sentence)
    if comparison.rows:
        sheet.ln(2)
        sheet.rows(("", comparison.before, "Now"), (60, 25, 25), comparison.rows)


def write_events(sheet: Sheet, told: Told) -> None:
    """What happened to the checkup itself; what happened to a finding stands with it."""
    if told.part is not None:
        return
    sheet.heading("What happened")
    events = told.checkup.events.filter(finding__isnull=True).exclude(move=Move.SEAL.value)
    number = events.count()
    sheet.rows(
        ("When", "What", "Why"),
        (20, 45, 45),
        [(told.moment(one.at), one.text, one.reason) for one in events[:MOST_EVENTS]],
    )
    if number > MOST_EVENTS:
        sheet.say(f"These are the first {MOST_EVENTS} of {number:,}; the JSON of the record has all.", colour=SOFT)


def write_signatures(sheet: Sheet, told: Told) -> None:
    """Names, statements, the hash; the statements only for those who see all of it."""
    sheet.heading("Signatures")
    given = signatures_of(told.checkup)
    for signature in given:
        _signature(sheet, told, signature)
    if told.checkup.sealed_at is None:
        lacking = NEEDED - len(given)
        sheet.say(
            f"Not signed. {counted(lacking, 'signature')} of two different people of IT {'is' if lacking == 1 else 'are'}"
            " lacking; until then anything here may change.",
            style="B",
            colour=BAD,
        )
        return
    sheet.ln(2)
    sheet.say("SHA-256 of the record", style="B")
    sheet.say(told.checkup.sha256)
    sheet.ln(1)
    sheet.say(_how_to_verify(told.checkup, whole=told.part is None), size=SMALL, colour=SOFT)


def _signature(sheet: Sheet, told: Told, signature: Signature) -> None:
    if sheet.will_page_break(25):
        sheet.add_page()
    sheet.say(f"{signature.name}, {told.moment(signature.at)}", style="B")
    if told.part is None:  # a statement may name any client, and any server
        sheet.say(signature.statement or "Without a statement.")
    sheet.say(f"Signed a content with the SHA-256 {signature.sha256}", size=SMALL, colour=SOFT)
    sheet.ln(2)


def _how_to_verify(checkup: Checkup, *, whole: bool) -> str:
    file = f"{checkup.number}.json"
    said = (
        f"Since then the database refuses every change to it. To verify: manage.py checkup verify {checkup.number} computes the"
        f" SHA-256 anew from the portal's rows; with --file {file} it compares the JSON record that somebody kept."
    )
    if whole:
        return f"{said} Without the portal: the SHA-256 of the bytes of {file} is the one above (sha256sum {file})."
    return f"{said} It is that of the whole record, of which this is your part: IT verifies the JSON of your part by the same command."
