"""The whole document, as its reader may see it. Of a signed checkup it is always the same, byte for byte."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.http import HttpResponse

from checkups.actions.watching import is_known_changed
from checkups.comparing import numbers_of, signed_before
from checkups.comparison import compare
from checkups.exports import part_of
from checkups.models import Checkup
from checkups.paper.clients import write_clients
from checkups.paper.closing import signatures_that_count, write_comparison, write_events, write_signatures
from checkups.paper.exceptions import write_exceptions
from checkups.paper.method import write_method
from checkups.paper.sheet import Sheet, Told
from checkups.paper.summary import write_summary
from checkups.workflow import Status
from portal.days import day_in_words
from portal.models import User
from portal.paper import BAD, SOFT
from portal.words import company_zone, exact_time

DRAFT = "Draft: not signed"


def pdf_answer(user: User, checkup: Checkup, now: datetime) -> HttpResponse:
    """The document as a file to be saved."""
    answer = HttpResponse(checkup_pdf(user, checkup, now), content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="{checkup.number}.pdf"'
    answer["Cache-Control"] = "private, no-store"
    return answer


def checkup_pdf(user: User, checkup: Checkup, now: datetime) -> bytes:
    """The document at that moment; once it is signed, at that of the second signature."""
    moment = checkup.sealed_at or now
    told = Told(checkup, part_of(user), moment)
    mark = "" if checkup.state is Status.SIGNED else DRAFT
    title = f"Checkup {checkup.number}"
    foot = f"HaaS backups · {checkup.number} · as of {exact_time(moment)}"
    sheet = Sheet(title, foot, moment.astimezone(company_zone()), mark)
    _title(sheet, told)
    numbers = numbers_of(checkup, told.part)
    before = signed_before(checkup)
    write_summary(sheet, told, numbers)
    write_comparison(sheet, compare(numbers, numbers_of(before, told.part) if before else None))
    write_exceptions(sheet, told)
    write_method(sheet, told)
    write_clients(sheet, told, numbers.resources)
    given = signatures_that_count(checkup)
    write_events(sheet, told, given)
    write_signatures(sheet, told, given)
    return bytes(sheet.output())


def _title(sheet: Sheet, told: Told) -> None:
    checkup = told.checkup
    sheet.say("Validity checkup of HaaS backups (B5)", size=20, style="B")
    sheet.ln(1)
    sheet.say(
        f"{checkup.number}, {day_in_words(checkup.on)}. {checkup.facts.label}. Drawn up from the portal's own records as of"
        f" {exact_time(told.now)}. Times are those of {settings.POLICY_TIME_ZONE}.",
        colour=SOFT,
    )
    if is_known_changed(checkup):
        said = "What stands here is not what was signed: somebody has changed the database past the portal."
        sheet.say(said, style="B", colour=BAD)
    if checkup.closed_reason:
        sheet.say(f"{checkup.facts.label}: {checkup.closed_reason}", style="B", colour=BAD)
    if told.part is not None:
        found = checkup.findings.filter(told.part).order_by("client").values_list("client", flat=True).distinct()
        sheet.say(f"The part of {', '.join(found) or 'nobody'}. Nothing is said about others.", style="B")
    sheet.ln(3)
