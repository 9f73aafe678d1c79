"""The end: what has changed since the last checkup, what happened, who signed, and how to verify it."""

from __future__ import annotations

from collections.abc import Sequence

from checkups.actions.recording import signatures_of
from checkups.comparison import Comparison
from checkups.happening import events_of, with_signatures
from checkups.models import Checkup, Signature
from checkups.paper.sheet import Sheet, Told
from portal.paper import BAD, SMALL, SOFT, writable
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


def signatures_that_count(checkup: Checkup) -> list[Signature]:
    """Those under what the record says. Where nobody has signed it is not read for that: of a large company it takes a while."""
    return signatures_of(checkup) if checkup.signatures.exists() else []


def write_events(sheet: Sheet, told: Told, given: Sequence[Signature]) -> None:
    """What happened to the checkup itself, with all signatures, of which those ``given`` count. What else happened to a
    finding stands with it.
    """
    if told.part is not None:
        return
    sheet.heading("What happened")
    signatures, digest = told.checkup.signatures.order_by("pk"), given[0].sha256 if given else ""
    happened = with_signatures(list(events_of(told.checkup)), signatures, digest)
    sheet.rows(
        ("When", "What", "Why"),
        (20, 45, 45),
        [(told.moment(one.at), one.text, one.reason) for one in happened[:MOST_EVENTS]],
    )
    if len(happened) > MOST_EVENTS:
        sheet.say(
            f"These are the first {MOST_EVENTS} of {len(happened):,}; the JSON of the record has all.", colour=SOFT
        )


def write_signatures(sheet: Sheet, told: Told, given: Sequence[Signature]) -> None:
    """Names, statements, the hash; the statements only for those who see all of it."""
    sheet.heading("Signatures")
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
    digests = [
        ("What both signed: the record without its signatures", given[-1].sha256),
        ("The whole record: the same with both signatures", told.checkup.sha256),
    ]
    sheet.rows(("SHA-256 of", ""), (72, 102), digests)
    sheet.ln(1)
    sheet.say(_how_to_verify(told.checkup, whole=told.part is None), size=SMALL, colour=SOFT)


def _signature(sheet: Sheet, told: Told, signature: Signature) -> None:
    if sheet.will_page_break(25):
        sheet.add_page()
    sheet.say(f"{signature.name}, {told.moment(signature.at)}", style="B")
    if told.part is None:  # a statement may name any client, and any server
        sheet.say(signature.statement or "Without a statement.")
        if writable(signature.statement) != signature.statement:
            sheet.say(
                "Some of its signs cannot be printed here. The JSON has it as it was written.", size=SMALL, colour=SOFT
            )
    if told.checkup.sealed_at is None:
        sheet.say(f"Under a content with the SHA-256 {signature.sha256}", size=SMALL, colour=SOFT)
    sheet.ln(2)


def _how_to_verify(checkup: Checkup, *, whole: bool) -> str:
    file = f"{checkup.number}.json"
    said = (
        f"Since the second signature the database refuses every change of it. To verify: manage.py checkup verify"
        f" {checkup.number} computes both anew from the portal's rows; with --file {file} it compares the JSON record that"
        " somebody kept."
    )
    if whole:
        return f"{said} Without the portal: the SHA-256 of the bytes of {file} is that of the whole record (sha256sum {file})."
    return f"{said} Both are of the whole record, of which this is your part: IT verifies the JSON of your part by the same command."
