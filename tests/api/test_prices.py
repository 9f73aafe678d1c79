"""Prices and consent over the API: the same rules, the same sentences."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from backups.models import Backup
from restores.models import Rate, RateCard
from tests.api.conftest import As
from tests.factories import Cast


@pytest.fixture
def card(cast: Cast) -> RateCard:
    card = RateCard.objects.create(
        currency="EUR",
        valid_from=date(2020, 1, 1),
        published_at=timezone.now(),
        published_by=cast.administrator,
        reason="Yearly.",
    )
    Rate.objects.create(card=card, flat=Decimal(45))
    return card


def filing(backup: Backup, **more: Any) -> dict[str, Any]:
    return {"backup": backup.pk, "mode": "beside", "cause": "bad_change", "reason": "The release broke it.", **more}


@pytest.mark.usefixtures("card")
def test_what_the_estimate_says_is_accepted_by_sending_it_back(as_: As, backup: Backup) -> None:
    quote = as_("client").get(f"/api/estimate/?backup={backup.pk}&cause=bad_change").json()
    assert (quote["estimate"]["total"], quote["accepts"]) == ("45.00", "45.00 EUR")
    filed = as_("client").post("/api/restore-requests/", filing(backup, accepts=quote["accepts"])).json()
    assert (filed["status"], filed["consents"][0]["amount"]) == ("submitted", "45.00")
    assert filed["plan"]["estimate"] == quote["estimate"]
    free = as_("client").get(f"/api/estimate/?backup={backup.pk}&cause=infrastructure").json()
    assert (free["estimate"], free["accepts"], free["classification"]) == (None, "", "free")
    assert as_("staff").get(f"/api/estimate/?backup={backup.pk}&cause=bad_change").json()["accepts"] == ""


@pytest.mark.usefixtures("card")
def test_the_client_accepts_declines_and_it_corrects(as_: As, backup: Backup) -> None:
    filed = as_("staff").post("/api/restore-requests/", filing(backup)).json()
    address = f"/api/restore-requests/{filed['id']}"
    assert (filed["status"], filed["turn"]) == ("awaiting_consent", "the client")
    refusal = "Only a person of the client accepts the estimate."
    assert as_("it").post(f"{address}/accept/", {"plan_digest": filed["plan_digest"]}).json()["detail"] == refusal
    taken = as_("client").post(f"{address}/accept/", {"plan_digest": filed["plan_digest"]})
    assert (taken.status_code, taken.json()["status"]) == (200, "submitted")
    corrected = as_("it").post(f"{address}/correct/", {"cause": "infrastructure", "reason": "The disk."}).json()
    assert (corrected["classification"], "estimate" in corrected["plan"]) == ("free", False)
    assert as_("client").post(f"{address}/correct/", {"cause": "other", "reason": "x"}).status_code == 403
    assert as_("client").post(f"{address}/decline/", {"reason": "x"}).status_code == 409


@pytest.mark.parametrize(
    ("query", "field"), [("backup={}", "cause"), ("backup=x&cause=other", "backup"), ("backup={}&cause=x", "cause")]
)
def test_an_estimate_of_nonsense_names_the_field(as_: As, backup: Backup, query: str, field: str) -> None:
    answer = as_("client").get(f"/api/estimate/?{query.format(backup.pk)}")
    assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_an_administrator_publishes_a_rate_card(as_: As) -> None:
    body = {
        "currency": "EUR",
        "valid_from": timezone.now().date().isoformat(),
        "reason": "Yearly.",
        "rates": [{"kind": "", "flat": "40.50"}, {"kind": "files", "per_gib": "0.1"}],
    }
    made = as_("administrator").post("/api/rate-cards/", body)
    assert made.status_code == 201, made.json()
    assert [rate["flat"] for rate in made.json()["rates"]] == ["40.5000", "0.0000"]
    assert made.json()["let_off_limit"] is None
    tomorrow, later = (timezone.now().date() + timedelta(days=days) for days in (2, 3))
    limited = {**body, "valid_from": tomorrow.isoformat(), "let_off_limit": "100"}
    assert as_("administrator").post("/api/rate-cards/", limited).json()["let_off_limit"] == "100.00"
    after = as_("administrator").post("/api/rate-cards/", {**body, "valid_from": later.isoformat()})
    assert after.json()["let_off_limit"] == "100.00", "a new price does not lift the limit in silence"
    assert as_("it").post("/api/rate-cards/", body).status_code == 403
    for flat in ("1e1", "٣", "1,5", "1.250"):
        refused = as_("administrator").post("/api/rate-cards/", {**body, "rates": [{"flat": flat}]})
        assert (refused.status_code, f"“{flat}”" in str(refused.json())) == (400, True)
    twice = {**body, "rates": [{"kind": ""}, {"kind": ""}]}
    assert as_("administrator").post("/api/rate-cards/", twice).json()["field"] == "rates"
    assert as_("auditor").get("/api/rate-cards/").json()["results"][0]["currency"] == "EUR"
    assert as_("nobody").get("/api/rate-cards/").status_code == 403
