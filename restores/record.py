"""The record of a request on paper: what was asked, decided, done, proven, charged and said, as far as its reader sees it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.http import HttpResponse
from fpdf.enums import XPos, YPos

from backups.drivers.base import Mode
from backups.kinds import driver_of
from portal.models import User
from portal.paper import BAD, INK, SMALL, SOFT, TEXT, Paper, writable
from portal.permissions import has_permission
from portal.roles import Permission
from portal.words import company_zone, exact_time, size_in_words, span_in_words
from restores.charging import Cause
from restores.conversation import Entry, conversation_of
from restores.models import Attempt, AttemptKind, Charge, RestoreRequest, Step
from restores.pricing import Line, in_money
from restores.stepnames import TECHNICAL, StepName
from restores.wording import charge_sentence, loss_of, next_in_full, plain_sentence

LABEL_WIDTH, GAP, ROOM = 38.0, 1.2, 18.0  # mm; the room is that of the longest label
LONGEST_LABEL = 60  # letters
INTERNAL = "Internal copy: it holds what the client must not see."


def record_answer(request: RestoreRequest, reader: User, now: datetime) -> HttpResponse:
    """The record as a file to be saved."""
    answer = HttpResponse(record_pdf(request, reader, now), content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="{request.number}.pdf"'
    answer["Cache-Control"] = "private, no-store"
    return answer


def record_pdf(request: RestoreRequest, reader: User, now: datetime) -> bytes:
    """The record as that person may read it at that moment."""
    internal = has_permission(reader, Permission.VIEW_INTERNAL_NOTES, request.client)
    technical = has_permission(reader, Permission.VIEW_TECHNICAL, request.client)
    said = conversation_of(request, reader)
    moment = exact_time(now)
    foot = f"HaaS backups · {request.number} · as of {moment}" + (" · internal copy" if internal else "")
    paper = _Record(f"Restore request {request.number}", foot, now.astimezone(company_zone()))
    paper.say(f"Restore request {request.number}", size=20, style="B")
    paper.ln(1)
    paper.say(f"As of {moment}. Made for {reader} from the portal’s own records.", colour=SOFT)
    if internal:
        paper.say(INTERNAL, style="B", colour=BAD)
    paper.ln(2)
    paper.say(plain_sentence(request, now), size=12, style="B")
    paper.say(f"{request.facts.label}. {next_in_full(request, now)}")
    _why(paper, request)
    _plan(paper, request, now, technical)
    _price(paper, request)
    _decisions(paper, request)
    for attempt in request.attempts.all():
        _attempt(paper, attempt, technical)
    if has_permission(reader, Permission.VIEW_CHARGES, request.client):
        _charge(paper, getattr(request, "charge", None))
    _conversation(paper, said)
    _attachments(paper, said)
    _timeline(paper, request)
    return bytes(paper.output())


class _Record(Paper):
    """Paper for facts and for what people wrote, which is kept whole however long it is."""

    def fact(self, label: str, text: object, colour: tuple[int, int, int] = INK) -> None:
        """A label, and beside it what there is to say, line by line; nothing when there is nothing."""
        lines = [line for line in str(text).splitlines() if line.strip()]
        if not lines:
            return
        if self.will_page_break(ROOM):
            self.add_page()
        top, page = self.get_y(), self.page
        self._put(label[:LONGEST_LABEL], 0, LABEL_WIDTH - 3, SOFT)
        below = self.get_y()
        self.set_y(top)
        for line in lines:
            self._put(line, LABEL_WIDTH, self.epw - LABEL_WIDTH, colour)
        if page == self.page:
            self.set_y(max(self.get_y(), below))
        self.ln(GAP)

    def _put(self, text: str, left: float, width: float, colour: tuple[int, int, int]) -> None:
        self.pen(colour=colour)
        self.set_x(self.l_margin + left)
        self.multi_cell(width, TEXT * 0.52, writable(text), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _who(by: User | None, at: datetime | None) -> str:
    return ", ".join(filter(None, (str(by) if by else "", exact_time(at) if at else "")))


def _why(paper: _Record, request: RestoreRequest) -> None:
    paper.heading("Why")
    paper.fact("Client", request.client)
    paper.fact("Resource", f"{request.resource.name}, {request.resource.application}")
    paper.fact("Asked by", _who(request.filed_by, request.filed_at))
    paper.fact("What happened", request.reason)
    for label, text in request.details.said():
        paper.fact(label, text)
    paper.fact("Cause", request.get_cause_display())
    for sentence in _corrections(request):
        paper.fact("Corrected", sentence)
    paper.fact("Charge", charge_sentence(request))


def _corrections(request: RestoreRequest) -> Iterator[str]:
    """From which cause to which, by the request's history."""
    before = None
    for row in request.history.select_related("history_user").order_by("history_date", "history_id"):
        if before is not None and row.cause != before:
            why = row.history_change_reason or ""
            who = _who(row.history_user, row.history_date)
            yield f"From “{Cause(before).label}” to “{Cause(row.cause).label}”: {who}\n{why}".strip()
        before = row.cause


def _plan(paper: _Record, request: RestoreRequest, now: datetime, technical: bool) -> None:
    paper.heading("The plan")
    backup = request.backup
    paper.fact("Kind", f"{driver_of(request.resource.kind).label}, {request.resource.get_environment_display()}")
    paper.fact("As of", exact_time(backup.taken_at) if backup.taken_at else "")
    paper.fact("Where to", request.get_mode_display())
    if request.restore_mode is Mode.IN_PLACE:
        paper.fact("Replaced", f"{loss_of(request, now)} of changes")
        paper.fact("Interrupts", driver_of(request.resource.kind).interrupts)
    paper.fact("Size of the data", size_in_words(backup.source_bytes))
    paper.fact("SHA-256", backup.checksum)
    if technical:
        paper.fact("Target", request.plan["target"])
    paper.fact("Filed as", request.get_classification_display())
    paper.fact("Plan’s digest", request.plan_digest)


def _price(paper: _Record, request: RestoreRequest) -> None:
    estimate = request.estimate
    if estimate is not None:
        paper.heading("The estimate")
        for line in estimate.lines:
            paper.fact(line.what, _line(line))
        paper.fact("At most", in_money(estimate.total))
    for consent in request.consents.select_related("given_by"):
        how = "accepted by" if consent.given_by else "covered by the standing consent"
        ended = "" if consent.stands else "; it ended when the cause made it free"
        paper.fact("Consent", f"{in_money(consent.money)}, {how} {_who(consent.given_by, consent.given_at)}{ended}")
        paper.fact("for the plan", consent.plan_digest)


def _line(line: Line) -> str:
    return f"{line.quantity.normalize():,f} {line.unit} × {in_money(line.price)} = {in_money(line.amount)}"


def _decisions(paper: _Record, request: RestoreRequest) -> None:
    paper.heading("Decisions")
    approvals = list(request.approvals.select_related("approved_by").order_by("approved_at", "pk"))
    for approval in approvals:
        paper.fact("Approved by", _who(approval.approved_by, approval.approved_at))
        paper.fact("of the plan", approval.plan_digest)
        paper.fact("Note", approval.reason)
    if request.decided_by and not approvals:
        paper.fact(f"{request.facts.label} by", _who(request.decided_by, request.decided_at))
        paper.fact("Reason", request.decision_reason)
    elif not approvals:
        paper.say("Nobody of IT has decided.", colour=SOFT)


def _attempt(paper: _Record, attempt: Attempt, technical: bool) -> None:
    what = "Undo" if attempt.kind == AttemptKind.UNDO else f"Attempt {attempt.number}"
    paper.heading(f"{what}: {attempt.get_status_display().lower()}")
    paper.fact("Asked by", _who(attempt.asked_by, attempt.asked_at))
    paper.fact("Reason", attempt.reason)
    paper.fact("Ran", _span(attempt.started_at, attempt.finished_at))
    for step in attempt.steps.all():
        paper.fact(StepName(step.name).label, _step(step, technical))
    paper.fact("Proof", attempt.proof)
    paper.fact("What went wrong", attempt.error, BAD)
    if technical:
        paper.fact("For IT", attempt.error_detail)
    if attempt.kept_until:
        paper.fact("Kept until", exact_time(attempt.kept_until))


def _step(step: Step, technical: bool) -> str:
    told = step.sentence if technical or StepName(step.name) not in TECHNICAL else ""
    return f"{step.get_status_display()}, {_span(step.started_at, step.finished_at)}\n{told}".strip()


def _span(begun: datetime | None, ended: datetime | None) -> str:
    if begun is None:
        return "not yet"
    return f"{exact_time(begun)}, in {span_in_words(ended - begun)}" if ended else f"{exact_time(begun)}, not over yet"


def _charge(paper: _Record, charge: Charge | None) -> None:
    if charge is None:
        return
    paper.heading("The charge")
    paper.fact("State", charge.get_status_display())
    paper.fact("Accepted", in_money(charge.price) if charge.price else "No price was accepted.")
    paper.fact("Charged", in_money(charge.charged) if charge.charged else "")
    paper.fact("Decided by", _who(charge.decided_by, charge.decided_at))
    paper.fact("Reason", charge.reason)


def _conversation(paper: _Record, said: list[Entry]) -> None:
    if not said:
        return
    paper.heading("Conversation")
    for entry in said:
        names = [f"Attached: {one.name}" for one in entry.attachments]
        mark = "Internal. " if entry.internal else ""
        paper.fact(str(entry.by), "\n".join([f"{mark}{exact_time(entry.at)}", entry.text, *names]).strip())


def _attachments(paper: _Record, said: list[Entry]) -> None:
    attachments = [one for entry in said for one in entry.attachments]
    if not attachments:
        return
    paper.heading("Attachments")
    for one in attachments:
        mark = "Internal. " if one.internal else ""
        paper.fact(f"{size_in_words(one.size)}", f"{one.name}\n{mark}{_who(one.by, one.at)}\nSHA-256 {one.checksum}")


def _timeline(paper: _Record, request: RestoreRequest) -> None:
    paper.heading("What happened")
    for event in request.events.all():
        paper.fact(exact_time(event.at), f"{event.text}\n{event.reason}".strip())
    paper.ln(3)
    paper.say(
        f"Times are those of {settings.POLICY_TIME_ZONE}. The timeline is never changed.", size=SMALL, colour=SOFT
    )
