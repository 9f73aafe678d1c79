"""Months and exports in the browser."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from restores.models import Charge, ChargeExport
from tests.pages.conftest import As


def decide(as_: As, charge: Charge, move: str, **more: str) -> int:
    address = reverse(f"charge_{move}", args=[charge.pk])
    return as_("account_manager").post(address, {"reason": "As agreed.", **more}).status_code


def test_a_charge_is_adjusted_reopened_and_confirmed_on_its_page(as_: As, charge: Charge) -> None:
    page = as_("account_manager").get(reverse("charge", args=[charge.pk])).content.decode()
    assert "Charge EUR\xa045.00" in page
    assert decide(as_, charge, "adjust") == 400
    assert decide(as_, charge, "adjust", amount="99") == 400
    assert decide(as_, charge, "adjust", amount="30.50") == 302
    page = as_("client").get(reverse("charge", args=[charge.pk])).content.decode()
    assert "EUR\xa030.50" in page
    assert "Reopen" not in page
    assert (
        "This restore is charged: EUR\xa030.50."
        in as_("client").get(charge.request.get_absolute_url()).content.decode()
    )
    assert decide(as_, charge, "reopen") == 302
    assert decide(as_, charge, "reopen") == 409
    assert decide(as_, charge, "confirm") == 302


def test_months_show_each_client_and_cause_to_those_who_may(as_: As, charge: Charge) -> None:
    decide(as_, charge, "adjust", amount="30.00")
    for who in ("account_manager", "client", "auditor", "administrator"):
        page = as_(who).get(reverse("charge_months")).content.decode()
        assert "Shopco" in page
        assert "EUR\xa030.00" in page
        assert "EUR\xa015.00" in page, "what was let off"
        assert "Charged in twelve months, EUR" in page
        assert re.findall(r'text-anchor="end">([^<]+)<', page) == ["0", "10", "20", "30", "EUR"], "the scale"
        assert re.search(r"<th scope=\"row\">\w{3} \d{4}</th><td>EUR\xa030.00</td>", page), "beside it"
    assert "Shopco" not in as_("media_account_manager").get(reverse("charge_months")).content.decode()
    assert as_("it").get(reverse("charge_months")).status_code == 403
    assert as_("").get(reverse("charge_months")).status_code == 302
    assert as_("client").post(reverse("charge_months")).status_code == 405


def test_an_export_is_made_once_and_fetched_again_by_who_may(as_: As, charge: Charge) -> None:
    decide(as_, charge, "confirm")
    page = as_("account_manager").get(reverse("charge_exports")).content.decode()
    assert "charge, <strong>EUR\xa045.00</strong>" in page
    sent = {"through": timezone.now().date().isoformat()}
    assert as_("account_manager").post(reverse("charge_export_new"), {"through": "x"}).status_code == 400
    late = {"through": (timezone.now() + timedelta(days=3)).date().isoformat()}
    assert as_("account_manager").post(reverse("charge_export_new"), late).status_code == 400
    assert as_("account_manager").post(reverse("charge_export_new"), sent).status_code == 302
    assert as_("account_manager").post(reverse("charge_export_new"), sent).status_code == 409
    made = ChargeExport.objects.get()
    assert made.totals == {"EUR": "45.00"}
    for kind, begins in (("csv", b"export,line,day"), ("xlsx", b"PK")):
        address = reverse(f"charge_export_{kind}", args=[made.pk])
        answer = as_("account_manager").get(address)
        assert (answer.content[: len(begins)], answer["Content-Disposition"]) == (
            begins,
            f'attachment; filename="EXP-{made.pk}.{kind}"',
        )
        assert as_("account_manager").get(address).content == answer.content
        for who, status in (("auditor", 200), ("media_account_manager", 404), ("client", 404), ("it", 404), ("", 302)):
            assert as_(who).get(address).status_code == status
    charge.refresh_from_db()
    assert charge.export == made
    assert "EXP-" in as_("client").get(reverse("charge", args=[charge.pk])).content.decode()


@pytest.mark.parametrize("who", ["client", "it", "staff", "auditor", "nobody"])
def test_who_may_not_exports_nothing(as_: As, charge: Charge, who: str) -> None:
    decide(as_, charge, "confirm")
    sent = {"through": timezone.now().date().isoformat()}
    assert as_(who).post(reverse("charge_export_new"), sent).status_code == 403
    assert not ChargeExport.objects.exists()
