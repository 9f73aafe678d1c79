"""Charges over the API."""

from __future__ import annotations

import pytest

from portal.models import User
from restores.models import Charge
from tests.api.conftest import As, client_of
from tests.factories import Cast


def test_a_charge_stands_beside_its_documented_request(as_: As, charge: Charge) -> None:
    row = as_("account_manager").get(f"/api/charges/{charge.pk}/").json()
    assert (row["status"], row["request"]["number"]) == ("to_review", charge.request.number)
    assert row["request"]["reason"] == charge.request.reason
    assert row["can"] == {"confirm": None, "adjust": None, "waive": None, "reopen": "This charge is open: decide it."}
    sentence = "Only an account manager of this client decides its charges."
    can = as_("client").get(f"/api/charges/{charge.pk}/").json()["can"]
    assert [can["confirm"], can["adjust"], can["waive"]] == [sentence] * 3


@pytest.mark.parametrize(("move", "status"), [("confirm", "confirmed"), ("waive", "waived")])
def test_the_account_manager_decides_once_with_a_reason(
    as_: As, charge: Charge, cast: Cast, move: str, status: str
) -> None:
    address, manager = f"/api/charges/{charge.pk}", as_("account_manager")
    assert manager.post(f"{address}/{move}/", {"reason": ""}).json()["field"] == "reason"
    row = manager.post(f"{address}/{move}/", {"reason": "As agreed."}).json()
    assert (row["status"], row["decided_by"], row["reason"]) == (status, str(cast.account_manager), "As agreed.")
    again = manager.post(f"{address}/waive/", {"reason": "changed my mind"})
    assert (again.status_code, again.json()["detail"]) == (409, f"This charge was {status} already.")


@pytest.mark.parametrize("who", ["client", "auditor"])
def test_those_who_only_see_it_decide_nothing(as_: As, charge: Charge, who: str) -> None:
    assert as_(who).post(f"/api/charges/{charge.pk}/waive/", {"reason": "please"}).status_code == 403
    charge.refresh_from_db()
    assert charge.status == "to_review"


def test_a_program_decides_nothing(charge: Charge, cast: Cast) -> None:
    cast.account_manager.is_service_account = True
    cast.account_manager.save()
    program: User = cast.account_manager
    assert client_of(program).post(f"/api/charges/{charge.pk}/waive/", {"reason": "rule 7"}).status_code == 403


def test_filters(as_: As, charge: Charge, cast: Cast) -> None:
    def found(query: str) -> list[int]:
        return [row["id"] for row in as_("auditor").get(f"/api/charges/?{query}").json()["results"]]

    assert found("status=to_review") == found(f"client={cast.shopco.pk}") == [charge.pk]
    assert found("status=waived") == found(f"client={cast.mediaco.pk}") == []


@pytest.mark.parametrize("amount", ["٣", "1e1", "NaN", "1 000", "1,5", "30.001", True, None, [], -3, "-3", 1e22])
def test_an_amount_that_is_not_plain_is_refused_in_a_sentence(as_: As, charge: Charge, amount: object) -> None:
    address = f"/api/charges/{charge.pk}/adjust/"
    answer = as_("account_manager").post(address, {"amount": amount, "reason": "It took long."})
    assert (answer.status_code, answer.json()["field"]) == (400, "amount")
    if isinstance(amount, str):
        assert "Enter " in answer.json()["detail"]
    charge.refresh_from_db()
    assert charge.status == "to_review"


@pytest.mark.parametrize("amount", ["30.10", 30.1])
def test_a_plain_amount_is_taken(as_: As, charge: Charge, amount: object) -> None:
    address = f"/api/charges/{charge.pk}/adjust/"
    assert as_("account_manager").post(address, {"amount": amount, "reason": "x"}).json()["field"] == "reason"
    row = as_("account_manager").post(address, {"amount": amount, "reason": "It took long."}).json()
    assert (row["status"], row["amount"]) == ("adjusted", "30.10")
