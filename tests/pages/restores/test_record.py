"""The record of a request on paper: all of it, as far as its reader may see it, whatever people wrote."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from backups.drivers.base import Mode
from backups.models import Backup
from restores.actions.conversing import say
from restores.actions.correcting import correct_cause
from restores.actions.filing import file_request
from restores.charging import Cause
from restores.details import Details
from restores.models import Attempt, Rate, RateCard, RestoreRequest, Step
from tests.factories import Cast, make_charge
from tests.pages.restores.conftest import As, finish
from tests.pages.test_compliance_exports import text_of

TECHNICAL = "Reached /srv/nowhere over the network of the servers"


@pytest.fixture
def whole(cast: Cast, backup: Backup) -> RestoreRequest:
    """Filed, priced, accepted, corrected, approved, tried in vain, done, and put before the account manager."""
    card = RateCard.objects.create(
        currency="EUR", valid_from=date(2020, 1, 1), published_at=timezone.now(), published_by=cast.administrator, reason="New."
    )  # fmt: skip
    Rate.objects.create(card=card, flat=Decimal("45.00"))
    details = Details("Since Monday night", "The table of prices", "The orders of today")
    request = file_request(
        by=cast.client, backup=backup, mode=Mode.IN_PLACE, reason="The import broke the prices.", cause=Cause.BAD_DATA,
        accepts="45.00 EUR", details=details,
    )  # fmt: skip
    request = correct_cause(by=cast.it, request=request, cause=Cause.BAD_CHANGE, reason="It was the new release.")
    finish(request, cast, number=1, status="failed", error="The disk was full.", error_detail="ENOSPC", proof="")
    attempt = finish(request, cast, number=2, proof="1,203 files are as in the manifest")
    Step.objects.create(
        attempt=attempt, position=0, name="preflight", status="done", started_at=timezone.now(), sentence=TECHNICAL
    )
    make_charge(request, status="confirmed", amount=Decimal("40.00"), decided_at=timezone.now(), decided_by=cast.account_manager,
                reason="Five less, as agreed.")  # fmt: skip
    return request


def read(as_: As, who: str, request: RestoreRequest) -> str:
    answer = as_(who).get(reverse("request_record", args=[request.pk]))
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == f'attachment; filename="{request.number}.pdf"'
    return " ".join(text_of(answer.content).split())


def test_it_has_the_whole_request(as_: As, whole: RestoreRequest, cast: Cast) -> None:
    paper = read(as_, "account_manager", whole)
    approvals = list(whole.approvals.all())  # type: ignore[attr-defined]
    for part in (
        f"Restore request {whole.number}", f"Made for {cast.account_manager}", "was restored as of", "Shopco",
        "The import broke the prices.", "Since Monday night", "The table of prices", "The orders of today",
        f"From “{Cause.BAD_DATA.label}” to “{Cause.BAD_CHANGE.label}”", "It was the new release.",
        whole.backup.checksum, "Flat fee", "EUR 45.00", f"accepted by {cast.client}", approvals[0].plan_digest,
        f"Approved by {cast.it}", "Attempt 1: failed", "The disk was full.", "Attempt 2: completed", "Check beforehand",
        "1,203 files are as in the manifest", "The charge", "EUR 40.00", "Five less, as agreed.",
        f"{cast.client} asked for a restore", f"{cast.it} corrected the cause", "Page 1 of",
    ):  # fmt: skip
        assert part in paper.replace("\xa0", " "), part


@pytest.mark.parametrize(
    ("who", "technical", "charged"),
    [("client", False, True), ("staff", False, False), ("it", True, False), ("account_manager", False, True),
     ("auditor", True, True), ("administrator", True, True)],
)  # fmt: skip
def test_it_says_what_its_reader_may_see(
    as_: As, whole: RestoreRequest, who: str, technical: bool, charged: bool
) -> None:
    paper = read(as_, who, whole)
    assert (TECHNICAL in paper) is ("ENOSPC" in paper) is ("files:/srv/nowhere" in paper) is technical
    assert ("The charge" in paper) is ("Five less, as agreed." in paper) is charged


def test_a_rejection_is_told(as_: As, submitted: RestoreRequest, cast: Cast) -> None:
    RestoreRequest.objects.filter(pk=submitted.pk).update(
        status="rejected", decided_at=timezone.now(), decided_by=cast.it, decision_reason="It is there already."
    )
    paper = read(as_, "client", submitted)
    assert f"Rejected by {cast.it}" in paper
    assert "It is there already." in paper


@pytest.mark.parametrize(
    "text",
    ["株式会社 🎉 \u202eשלום", "x" * 5000, "a b " * 1250, "line\n\n\n" * 700, "**bold** <b>&amp;", "\u0301" * 99 + "x"],
)
def test_whatever_people_wrote_is_written(as_: As, submitted: RestoreRequest, cast: Cast, text: str) -> None:
    say(by=cast.client, request=submitted, text=text)
    RestoreRequest.objects.filter(pk=submitted.pk).update(reason=text, wanted=text)
    paper = read(as_, "client", submitted)
    assert "Conversation" in paper
    if text.isascii():
        written = "".join(paper.split())
        assert written.count(text.split()[0]) or written.count("x") >= 3 * 5000


def test_a_long_text_is_kept_whole(as_: As, submitted: RestoreRequest, cast: Cast) -> None:
    say(by=cast.client, request=submitted, text=" ".join(f"word{number:04}" for number in range(500)))
    paper = read(as_, "client", submitted)
    assert all(f"word{number:04}" in paper for number in range(500))


def test_nothing_done_yet(as_: As, submitted: RestoreRequest) -> None:
    paper = read(as_, "client", submitted)
    assert "Nobody of IT has decided." in paper
    assert not Attempt.objects.exists()
