"""Charges: the record beside, one decision with a reason, decided ones by month."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape

from backups.models import Backup
from restores.models import Charge, ChargeStatus
from tests.factories import Cast, make_charge, make_request
from tests.pages.restores.conftest import As, finish


def test_the_documented_request_stands_beside_the_charge(as_: As, charge: Charge) -> None:
    for path in ("/charges/", f"/charges/{charge.pk}/"):
        page = as_("account_manager").get(path).content.decode()
        for words in (
            charge.request.number, "The prices were overwritten by an import.", "1,203 files: every SHA-256 as in the manifest",
            "A release or a change of the application went wrong", str(charge.request.filed_by), "Charge EUR\xa045.00", "Waive it",
        ):  # fmt: skip
            assert words in page


def test_the_client_and_the_auditor_only_read(as_: As, charge: Charge) -> None:
    for person in ("client", "auditor"):
        page = as_(person).get("/charges/").content.decode()
        assert charge.request.number in page
        assert "<textarea" not in page
        assert "Only an account manager of this client decides its charges." in page
    assert charge.request.number not in as_("media_account_manager").get("/charges/").content.decode()


@pytest.mark.parametrize(
    ("act", "words"), [("confirm", "This restore is charged: EUR\xa045.00."), ("waive", "This restore is not charged")]
)
def test_the_request_tells_the_client_what_was_decided(as_: As, charge: Charge, act: str, words: str) -> None:
    address = charge.request.get_absolute_url()
    assert "This restore may be charged" in as_("client").get(address).content.decode()
    as_("account_manager").post(f"/charges/{charge.pk}/{act}/", {"reason": "As agreed."})
    page = as_("client").get(address).content.decode()
    assert words in page
    assert "This restore may be charged" not in page


@pytest.mark.parametrize(("act", "status"), [("confirm", ChargeStatus.CONFIRMED), ("waive", ChargeStatus.WAIVED)])
def test_a_decision_is_made_once_with_a_reason(as_: As, charge: Charge, act: str, status: ChargeStatus) -> None:
    browser, path = as_("account_manager"), f"/charges/{charge.pk}/{act}/"
    answer = browser.post(path, {"reason": " "})
    assert answer.status_code == 400
    assert "Say why: every decision about money is kept with its reason." in answer.content.decode()
    assert browser.post(path, {"reason": "Their <own> release."}, follow=True).redirect_chain == [("/charges/", 302)]
    charge.refresh_from_db()
    assert (charge.status, charge.reason) == (status, "Their <own> release.")
    page = browser.get("/charges/").content.decode()
    assert escape("Their <own> release.") in page
    assert "Nothing to review" in page
    answer = browser.post(path, {"reason": "Changed my mind."})
    assert answer.status_code == 409
    assert f"This charge was {status.label.lower()} already." in answer.content.decode()
    assert "Changed my mind." in answer.content.decode()


def test_decided_ones_stand_by_month_the_latest_first(as_: As, cast: Cast, backup: Backup) -> None:
    for month in (9, 11, 10):
        request = make_request(backup, cast.client)
        finish(request, cast)
        decided = {"decided_at": datetime(2026, month, 3, tzinfo=UTC), "decided_by": cast.account_manager}
        make_charge(request, status=ChargeStatus.WAIVED, reason="Goodwill.", **decided)
    page = as_("account_manager").get("/charges/").content.decode()
    assert page.index("Nov 2026") < page.index("Oct 2026") < page.index("Sep 2026")


def test_the_page_asks_the_database_as_often_however_many_there_are(as_: As, cast: Cast, charge: Charge) -> None:
    browser = as_("account_manager")

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert browser.get("/charges/").status_code == 200
        return len(queries)

    def add(**facts: object) -> None:
        request = make_request(charge.request.backup, cast.client)
        finish(request, cast)
        make_charge(request, **facts)

    decided = {
        "status": ChargeStatus.WAIVED,
        "reason": "x",
        "decided_at": datetime.now(UTC),
        "decided_by": cast.account_manager,
    }
    add(**decided)
    before = asked()
    for _ in range(5):
        add()
        add(**decided)
    assert asked() == before


@pytest.mark.parametrize("amount", ["٣", "1e1", "NaN", "1 000", "1,5", "30.001", "30 EUR"])
def test_an_amount_that_is_not_plain_is_refused_in_a_sentence(as_: As, charge: Charge, amount: str) -> None:
    path = f"/charges/{charge.pk}/adjust/"
    answer = as_("account_manager").post(path, {"amount": amount, "reason": "It took long."})
    assert answer.status_code == 400
    page = answer.content.decode()
    assert f"“{amount}” is not read as an amount" in page or "Enter 2 after the point at most" in page
    assert f'value="{amount}"' in page, "it can be mended"
    charge.refresh_from_db()
    assert charge.status == "to_review"
    assert as_("account_manager").post(path, {"amount": " 30.10 ", "reason": "It took long."}).status_code == 302
    charge.refresh_from_db()
    assert str(charge.amount) == "30.10"


@pytest.mark.parametrize("act", ["confirm", "waive", "adjust"])
def test_a_reason_that_says_nothing_is_refused(as_: As, charge: Charge, act: str) -> None:
    path = f"/charges/{charge.pk}/{act}/"
    answer = as_("account_manager").post(path, {"amount": "30", "reason": "x"})
    assert answer.status_code == 400
    assert (
        "“x” tells nobody why. Say why: every decision about money is kept with its reason." in answer.content.decode()
    )
