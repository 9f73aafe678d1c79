"""Prices and consent in the browser: what is asked of whom, and what each page says."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from backups.models import Backup, Resource
from restores.charging import Cause
from restores.models import Agreement, Consent, Rate, RateCard, RestoreRequest
from restores.workflow import Status
from tests.factories import Cast
from tests.pages.conftest import As


def make_card(cast: Cast, *, since: date = date(2020, 1, 1), flat: str = "45") -> RateCard:
    card = RateCard.objects.create(
        currency="EUR", valid_from=since, published_at=timezone.now(), published_by=cast.administrator, reason="Yearly."
    )
    Rate.objects.create(card=card, flat=Decimal(flat), per_gib=Decimal("0.5"))
    return card


@pytest.fixture
def card(cast: Cast) -> RateCard:
    return make_card(cast)


@pytest.fixture
def sized(backup: Backup) -> Backup:
    Backup.objects.filter(pk=backup.pk).update(source_bytes=3 * 2**30)
    backup.refresh_from_db()
    return backup


def answers(backup: Backup, **more: str) -> dict[str, str]:
    given = {"resource": str(backup.resource_id), "backup": str(backup.pk), "mode": "beside"}
    return {**given, "cause": Cause.DELETED_BY_MISTAKE.value, "reason": "The prices are gone.", **more}


def asked(as_: As, who: str, backup: Backup, **more: str) -> RestoreRequest:
    answer = as_(who).post(reverse("request_new"), answers(backup, **more))
    assert answer.status_code == 302, answer.content.decode()
    return RestoreRequest.objects.latest("pk")


@pytest.mark.usefixtures("card")
def test_the_price_stands_beside_the_choice_and_can_be_accepted_at_once(as_: As, sized: Backup) -> None:
    page = as_("client").get(reverse("request_new_summary"), answers(sized)).content.decode()
    assert "3 GiB × EUR\xa00.50" in page
    ticked = as_("client").get(reverse("request_new_summary"), answers(sized, accepts="46.50 EUR")).content.decode()
    assert 'value="46.50 EUR" checked' in ticked, "it stays ticked while other choices change"
    assert "checked" not in page
    assert 'value="46.50 EUR"' in page
    assert "I accept up to" in page
    request = asked(as_, "client", sized, accepts="46.50 EUR")
    assert request.state is Status.SUBMITTED
    shown = as_("client").get(request.get_absolute_url()).content.decode()
    assert "EUR\xa046.50, accepted by" in shown


@pytest.mark.usefixtures("card")
def test_who_may_not_accept_is_told_who_does(as_: As, sized: Backup) -> None:
    page = as_("staff").get(reverse("request_new_summary"), answers(sized)).content.decode()
    assert "I accept" not in page
    assert "waits until somebody of Shopco accepts this price" in page


@pytest.mark.usefixtures("card")
def test_what_is_free_names_no_price(as_: As, sized: Backup) -> None:
    page = as_("client").get(reverse("request_new_summary"), answers(sized, cause="infrastructure")).content.decode()
    assert "EUR" not in page
    assert "accept" not in page


@pytest.mark.usefixtures("card")
def test_the_client_accepts_and_it_is_its_turn(as_: As, cast: Cast, sized: Backup) -> None:
    request = asked(as_, "staff", sized)
    for_it = as_("it").get(request.get_absolute_url()).content.decode()
    assert "Awaiting consent" in for_it
    assert "Shopco’s turn." in for_it
    page = as_("colleague").get(request.get_absolute_url()).content.decode()
    assert "Your turn." in page
    assert "Accept EUR\xa046.50 for" in page
    answer = as_("colleague").post(reverse("request_accept", args=[request.pk]), {"plan_digest": request.plan_digest})
    assert answer.status_code == 302
    request.refresh_from_db()
    assert (request.state, Consent.objects.get().given_by) == (Status.SUBMITTED, cast.colleague)
    again = as_("client").post(reverse("request_accept", args=[request.pk]), {"plan_digest": request.plan_digest})
    assert again.status_code == 409
    assert "This request is submitted and cannot be accepted now." in again.content.decode()


@pytest.mark.usefixtures("card")
def test_a_price_that_was_not_read_is_not_accepted(as_: As, sized: Backup) -> None:
    request = asked(as_, "staff", sized)
    answer = as_("client").post(reverse("request_accept", args=[request.pk]), {"plan_digest": "old"})
    assert answer.status_code == 409
    assert "The price is not the one you read." in answer.content.decode()


@pytest.mark.usefixtures("card")
def test_declined(as_: As, sized: Backup) -> None:
    request = asked(as_, "staff", sized)
    address = reverse("request_decline", args=[request.pk])
    assert as_("client").post(address, {"reason": ""}).status_code == 400
    assert as_("client").post(address, {"reason": "Too dear."}).status_code == 302
    request.refresh_from_db()
    assert request.state is Status.CANCELLED


@pytest.mark.usefixtures("card")
def test_it_corrects_the_cause(as_: As, sized: Backup) -> None:
    request = asked(as_, "staff", sized)
    address = reverse("request_correct", args=[request.pk])
    assert as_("it").post(address, {"cause": "nonsense", "reason": "x"}).status_code == 400
    assert as_("it").post(address, {"cause": "infrastructure", "reason": "The disk."}).status_code == 302
    page = as_("client").get(request.get_absolute_url()).content.decode()
    assert "corrected the cause" in page
    assert "Free of charge" in page


@pytest.mark.usefixtures("card")
@pytest.mark.parametrize("name", ["request_accept", "request_decline", "request_correct"])
@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("staff", 403),
        ("account_manager", 403),
        ("auditor", 403),
        ("administrator", 403),
        ("media_client", 404),
        ("", 302),
    ],
)
def test_who_may_not_does_nothing(as_: As, sized: Backup, name: str, who: str, status: int) -> None:
    request = asked(as_, "staff", sized)
    sent = {"reason": "x", "cause": "infrastructure", "plan_digest": request.plan_digest}
    assert as_(who).post(reverse(name, args=[request.pk]), sent).status_code == status
    assert as_("it").get(reverse(name, args=[request.pk])).status_code == 405
    request.refresh_from_db()
    assert request.state is Status.AWAITING_CONSENT


@pytest.mark.usefixtures("card")
def test_the_list_finds_what_waits_for_the_client(as_: As, sized: Backup) -> None:
    request = asked(as_, "staff", sized)
    assert request.number in as_("client").get("/requests/?group=client").content.decode()
    assert request.number not in as_("client").get("/requests/?group=waiting").content.decode()


def prices_of(currency: str = "EUR", **more: str) -> dict[str, str]:
    today = timezone.now().date().isoformat()
    return {"currency": currency, "valid_from": today, "reason": "The new year.", "other_flat": "40", **more}


def test_an_administrator_publishes_prices(as_: As, resource: Resource) -> None:
    answer = as_("administrator").post(reverse("rate_card_new"), prices_of("chf", postgres_per_gib="0.25"))
    assert answer.status_code == 302, answer.content.decode()
    card = RateCard.objects.get()
    assert card.currency == "CHF"
    assert {rate.kind: (rate.flat, rate.per_gib) for rate in card.rates.all()} == {
        "": (Decimal(40), Decimal(0)),
        "postgres": (Decimal(0), Decimal("0.25")),
    }
    assert "In force" in as_("it").get(reverse("prices")).content.decode()
    assert "CHF from" not in as_("client").get(reverse("prices")).content.decode(), "the client pays in euros"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"currency": "XYZ"}, "That is no currency."),
        ({"valid_from": "2020-01-01"}, "A price never changes backwards"),
        ({"valid_from": "soon"}, "Enter a valid date"),
        ({"reason": " "}, "Say why"),
        ({"other_flat": ""}, "Enter at least one price."),
        ({"reason": "x"}, "“x” tells nobody why."),
        ({"other_flat": "-1"}, "“-1” is not read as an amount. Enter digits from 0 to 9"),
        ({"other_flat": "1e400"}, "is not read as an amount"),
        ({"other_flat": "NaN"}, "is not read as an amount"),
        ({"other_flat": "12,50"}, "“12,50” is not read as an amount"),
        ({"other_flat": "1.250"}, "“1.250” may mean 1250 or 1.2500."),
        ({"other_usual_hours": "٣"}, "“٣” is not read as an amount"),
        ({"let_off_limit": "1 000"}, "“1 000” is not read as an amount"),
        (
            {"currency": "JPY", "let_off_limit": "10.50"},
            "JPY has no coin that small. Enter an amount with no decimals.",
        ),
    ],
)
def test_wrong_prices_are_refused_in_a_sentence(as_: As, wrong: dict[str, str], words: str) -> None:
    answer = as_("administrator").post(reverse("rate_card_new"), prices_of(**wrong))
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert not RateCard.objects.exists()


def test_two_cards_of_a_day_and_one_in_force_are_refused_and_one_to_come_is_withdrawn(as_: As, cast: Cast) -> None:
    admin = as_("administrator")
    assert admin.post(reverse("rate_card_new"), prices_of()).status_code == 302
    assert "from that day on already" in admin.post(reverse("rate_card_new"), prices_of()).content.decode()
    coming = make_card(cast, since=timezone.now().date() + timedelta(days=30))
    for card, status in ((RateCard.objects.get(valid_from__lte=timezone.now().date()), 409), (coming, 302)):
        address = reverse("rate_card_withdraw", args=[card.pk])
        assert admin.post(address, {"reason": "A mistake."}).status_code == status
    assert RateCard.objects.count() == 1
    RateCard.objects.update(let_off_limit=Decimal(75))
    assert 'value="75.00"' in admin.get(reverse("rate_card_new")).content.decode(), "the next card keeps the limit"


def test_what_is_agreed_with_a_client(as_: As, cast: Cast) -> None:
    address = reverse("agreement", args=[cast.shopco.pk])
    admin = as_("administrator")
    for currency, limit, words in (
        ("EUR", "-5", "“-5” is not read"),
        ("EUR", "1,5", "“1,5” is not read"),
        ("JPY", "1.5", "no coin"),
    ):
        answer = admin.post(address, {"currency": currency, "standing_limit": limit, "reason": "Letter."})
        assert (answer.status_code, words in answer.content.decode()) == (400, True)
        assert f'value="{limit}"' in answer.content.decode(), "it can be mended"
    assert admin.post(address, {"currency": "EUR", "standing_limit": "100", "reason": "Letter."}).status_code == 302
    assert Agreement.objects.get().history.latest().history_change_reason == "Letter."
    other = admin.post(address, {"currency": "CHF", "standing_limit": "100", "reason": "They moved."})
    assert (other.status_code, "was given in EUR" in other.content.decode()) == (400, True)
    assert "EUR\xa0100.00" in as_("client").get(reverse("prices")).content.decode()
    assert "EUR\xa0100.00" not in as_("media_client").get(reverse("prices")).content.decode()


@pytest.mark.parametrize("who", ["client", "staff", "it", "account_manager", "auditor", "nobody"])
def test_prices_are_set_by_administrators_alone(as_: As, cast: Cast, card: RateCard, who: str) -> None:
    for address in (
        reverse("rate_card_new"),
        reverse("agreement", args=[cast.shopco.pk]),
        reverse("rate_card_withdraw", args=[card.pk]),
    ):
        assert as_(who).post(address, prices_of()).status_code == 403
    assert as_(who).get(reverse("prices")).status_code == (403 if who == "nobody" else 200)
    assert as_("").get(reverse("prices")).status_code == 302
