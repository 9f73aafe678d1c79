"""What may be charged runs only once the client has accepted its price (R2)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import QuerySet
from django.utils import timezone
from moneyed import Money

from backups.actions.belief import follow_clock
from backups.drivers.base import Mode
from backups.models import Pin, Resource
from portal.errors import InvalidInput, NotPermitted, Refused
from portal.models import User
from portal.roles import Role
from restores.actions.charges import confirm_charge, waive_charge
from restores.actions.consenting import accept, decline
from restores.actions.correcting import correct_cause
from restores.actions.deciding import approve, cancel, reject
from restores.actions.expiring import expire_requests
from restores.actions.filing import file_request
from restores.actions.performing import perform_restore
from restores.charging import Cause, Classification
from restores.models import Agreement, Charge, Consent, Notice, Rate, RateCard, RestoreRequest
from restores.pricing import in_money
from restores.workflow import Status
from tests.app.world import World, person

MISTAKE, HARDWARE = Cause.DELETED_BY_MISTAKE, Cause.INFRASTRUCTURE
WHY = "The disk of the server was replaced that night."


def publish(world: World, flat: str = "45.00", *, currency: str = "EUR", since: date | None = None) -> RateCard:
    card = RateCard.objects.create(
        currency=currency,
        valid_from=since or date(2020, 1, 1),
        published_at=timezone.now(),
        published_by=world.administrator,
        reason="Prices of the year.",
    )
    Rate.objects.create(card=card, flat=Decimal(flat))
    return card


@pytest.fixture
def card(world: World) -> RateCard:
    return publish(world)


def written_by_a_wrong_clock(off: timedelta) -> None:
    """Give the newest consent another moment, past the model that never changes one."""
    newest = Consent.objects.latest("pk")
    QuerySet(Consent).filter(pk=newest.pk).update(given_at=newest.given_at + off)


def said(money: Money | None) -> str:
    return in_money(money).replace("\xa0", " ") if money else ""


def ask(
    by: User, resource: Resource, cause: Cause = MISTAKE, *, accepts: str = "", mode: Mode = Mode.BESIDE
) -> RestoreRequest:
    return file_request(
        by=by, backup=resource.backups.get(), mode=mode, reason="The shop is empty.", cause=cause, accepts=accepts
    )


def agreed(by: User, request: RestoreRequest) -> RestoreRequest:
    return approve(by=by, request=request, plan_digest=request.plan_digest, typed_name=request.resource.name)


@pytest.mark.usefixtures("card")
class TestAPrice:
    """A rate card is in force: a flat fee of 45 EUR."""

    def test_waits_for_the_client_and_then_for_it(self, world: World, resource: Resource) -> None:
        request = ask(world.staff, resource)
        assert (request.state, said(request.price)) == (Status.AWAITING_CONSENT, "EUR 45.00")
        with pytest.raises(Refused, match="awaiting consent and cannot be approved"):
            agreed(world.it, request)
        taken = accept(by=world.owner, request=request, plan_digest=request.plan_digest)
        assert taken.state is Status.SUBMITTED
        consent = Consent.objects.get()
        assert (consent.kind, consent.amount, consent.currency) == ("person", Decimal("45.00"), "EUR")
        assert (consent.given_by, consent.plan_digest) == (world.owner, request.plan_digest)
        assert agreed(world.it, taken).state is Status.APPROVED
        with pytest.raises(Refused, match="cannot be accepted now"):
            accept(by=world.owner, request=request, plan_digest=request.plan_digest)

    @pytest.mark.parametrize("name", ["staff", "it", "manager", "auditor", "administrator", "stranger", "nobody"])
    def test_is_accepted_and_declined_by_the_clients_people_alone(
        self, world: World, resource: Resource, name: str
    ) -> None:
        request = ask(world.staff, resource)
        for act in (
            lambda by: accept(by=by, request=request, plan_digest=request.plan_digest),
            lambda by: decline(by=by, request=request, reason="No."),
        ):
            with pytest.raises(NotPermitted, match="Only a person of the client"):
                act(getattr(world, name))

    def test_is_accepted_by_no_program(self, world: World, resource: Resource) -> None:
        request = ask(world.staff, resource)
        User.objects.filter(pk=world.colleague.pk).update(is_service_account=True)
        program = User.objects.get(pk=world.colleague.pk)
        with pytest.raises(NotPermitted, match="A person has to"):
            accept(by=program, request=request, plan_digest=request.plan_digest)
        assert ask(program, resource, accepts="45.00 EUR").state is Status.AWAITING_CONSENT

    def test_can_be_accepted_while_asking(self, world: World, resource: Resource) -> None:
        request = ask(world.owner, resource, accepts="45.00 EUR")
        assert request.state is Status.SUBMITTED
        assert Consent.objects.get().given_by == world.owner

    @pytest.mark.parametrize("accepts", ["44.99 EUR", "45.00 USD", "45 EUR", "yes", "1000000.00 EUR"])
    def test_that_is_not_the_one_that_was_read_is_asked_for(
        self, world: World, resource: Resource, accepts: str
    ) -> None:
        assert ask(world.owner, resource, accepts=accepts).state is Status.AWAITING_CONSENT

    def test_that_staff_says_it_accepts_is_asked_for(self, world: World, resource: Resource) -> None:
        assert ask(world.staff, resource, accepts="45.00 EUR").state is Status.AWAITING_CONSENT

    def test_is_bound_to_what_was_read(self, world: World, resource: Resource) -> None:
        request = ask(world.staff, resource)
        with pytest.raises(Refused, match="not the one you read"):
            accept(by=world.owner, request=request, plan_digest="0" * 64)

    def test_is_frozen_whatever_later_cards_say(self, world: World, resource: Resource) -> None:
        request = ask(world.owner, resource, accepts="45.00 EUR")
        publish(world, "90.00", since=date(2021, 1, 1))
        agreed(world.it, request)
        perform_restore(request.pk)
        charge = Charge.objects.get()
        assert said(charge.price) == "EUR 45.00"
        assert said(confirm_charge(by=world.manager, charge=charge, reason="As agreed.").charged) == "EUR 45.00"
        assert ask(world.owner, resource).estimate.total.amount == 90  # type: ignore[union-attr]

    def test_of_a_card_to_come_is_not_used_yet(self, world: World, resource: Resource) -> None:
        publish(world, "90.00", since=date.today() + timedelta(days=40))
        assert ask(world.owner, resource).estimate.total.amount == 45  # type: ignore[union-attr]

    def test_is_free_by_its_cause(self, world: World, resource: Resource) -> None:
        request = ask(world.staff, resource, HARDWARE)
        assert (request.state, request.price) == (Status.SUBMITTED, None)
        assert request.classification == Classification.FREE

    def test_declined_closes_the_request(self, world: World, resource: Resource) -> None:
        request = ask(world.staff, resource)
        with pytest.raises(InvalidInput, match="Say why"):
            decline(by=world.owner, request=request, reason=" ")
        assert decline(by=world.owner, request=request, reason="Too dear.").state is Status.CANCELLED
        assert not Pin.objects.exists()

    def test_that_waits_can_be_cancelled_by_the_filer_and_rejected_by_it(
        self, world: World, resource: Resource
    ) -> None:
        assert cancel(by=world.staff, request=ask(world.staff, resource), reason="Found it.").state is Status.CANCELLED
        assert reject(by=world.it, request=ask(world.staff, resource), reason="Nonsense.").state is Status.REJECTED

    def test_within_the_standing_consent_needs_no_other(self, world: World, resource: Resource) -> None:
        agreement = Agreement.objects.create(client=world.client, currency="EUR", standing_limit=Decimal("45.00"))
        request = ask(world.staff, resource)
        assert request.state is Status.SUBMITTED
        assert (Consent.objects.get().kind, Consent.objects.get().given_by) == ("standing", None)
        agreement.standing_limit = Decimal("44.99")
        agreement.save()
        assert ask(world.colleague, resource).state is Status.AWAITING_CONSENT

    def test_in_another_currency_comes_from_that_currencys_card(self, world: World, resource: Resource) -> None:
        Agreement.objects.create(client=world.client, currency="CHF", standing_limit=Decimal(1000))
        assert ask(world.owner, resource).price is None, "no card in CHF: nothing is charged"
        publish(world, "50.00", currency="CHF")
        request = ask(world.colleague, resource)
        assert request.price is not None
        assert request.price.currency.code == "CHF"


@pytest.mark.usefixtures("card")
class TestACorrectedCause:
    """IT corrects it, with a reason."""

    def test_that_makes_it_free_asks_nobody(self, world: World, resource: Resource) -> None:
        request = ask(world.staff, resource)
        corrected = correct_cause(by=world.it, request=request, cause=HARDWARE, reason=WHY)
        assert (corrected.state, corrected.price) == (Status.SUBMITTED, None)
        assert corrected.plan_digest != request.plan_digest
        assert agreed(world.it, corrected).state is Status.APPROVED

    def test_that_makes_it_dearer_asks_the_client(self, world: World, resource: Resource) -> None:
        request = ask(world.owner, resource, HARDWARE)
        corrected = correct_cause(by=world.it, request=request, cause=MISTAKE, reason="Their own script.")
        assert corrected.state is Status.AWAITING_CONSENT
        accept(by=world.owner, request=corrected, plan_digest=corrected.plan_digest)
        back = correct_cause(by=world.it, request=corrected, cause=HARDWARE, reason=WHY)
        assert back.state is Status.SUBMITTED
        again = correct_cause(by=world.it, request=back, cause=MISTAKE, reason="It was the script after all.")
        assert again.state is Status.AWAITING_CONSENT, "they were told that it is free"
        assert [consent.stands for consent in again.consents.all()] == [False]
        with pytest.raises(Refused, match="awaiting consent and cannot be approved"):
            agreed(world.it2, again)
        taken = accept(by=world.colleague, request=again, plan_digest=again.plan_digest)
        assert (taken.state, [consent.stands for consent in taken.consents.all()]) == (Status.SUBMITTED, [False, True])
        subjects = Notice.objects.filter(request=again).values_list("headline", flat=True)
        assert "it corrected the cause" in subjects, "a subject is short"
        told = [event.text for event in taken.events.filter(move="correct")]
        assert told[-1] == f"it corrected the cause from “{HARDWARE.label}” to “{MISTAKE.label}”"

    def test_that_makes_it_free_ends_consents_also_when_the_clock_is_set_back(
        self, world: World, resource: Resource
    ) -> None:
        request = ask(world.owner, resource, MISTAKE)
        accept(by=world.owner, request=request, plan_digest=request.plan_digest)
        written_by_a_wrong_clock(timedelta(hours=3))
        free = correct_cause(by=world.it, request=request, cause=HARDWARE, reason=WHY)
        again = correct_cause(by=world.it, request=free, cause=MISTAKE, reason="It was the script after all.")
        assert again.state is Status.AWAITING_CONSENT
        taken = accept(by=world.owner, request=again, plan_digest=again.plan_digest)
        written_by_a_wrong_clock(-timedelta(hours=3))
        assert [consent.stands for consent in taken.consents.order_by("pk")] == [False, True]
        assert agreed(world.it2, taken).state is Status.APPROVED

    def test_of_one_kind_keeps_the_price(self, world: World, resource: Resource) -> None:
        request = ask(world.owner, resource, accepts="45.00 EUR")
        publish(world, "90.00", since=date(2021, 1, 1))
        corrected = correct_cause(by=world.it, request=request, cause=Cause.BAD_CHANGE, reason="It was the release.")
        assert (corrected.state, said(corrected.price)) == (Status.SUBMITTED, "EUR 45.00")
        assert agreed(world.it, corrected).state is Status.APPROVED

    def test_is_a_new_plan_for_an_approver_who_read_the_old_one(self, world: World, resource: Resource) -> None:
        request = ask(world.owner, resource, HARDWARE)
        Agreement.objects.create(client=world.client, currency="EUR", standing_limit=Decimal(100))
        correct_cause(by=world.it, request=request, cause=MISTAKE, reason="Their own script.")
        with pytest.raises(Refused, match="not the one you looked at"):
            agreed(world.it2, request)

    def test_after_the_restore_makes_it_free_and_never_dearer(self, world: World, resource: Resource) -> None:
        paid, free = ask(world.owner, resource, accepts="45.00 EUR"), ask(world.colleague, resource, HARDWARE)
        for request in (paid, free):
            agreed(world.it, request)
            perform_restore(request.pk)
        with pytest.raises(Refused, match="has not accepted a price"):
            correct_cause(by=world.it, request=free, cause=MISTAKE, reason="Their own script.")
        done = correct_cause(by=world.it, request=paid, cause=HARDWARE, reason=WHY)
        assert (done.state, done.price) == (Status.COMPLETED, None)
        charge = Charge.objects.get()
        assert (charge.status, charge.charged, charge.reason) == ("void", None, WHY)
        with pytest.raises(Refused):
            confirm_charge(by=world.manager, charge=charge, reason="All the same.")
        with pytest.raises(Refused, match="done free of charge"):
            correct_cause(by=world.it, request=paid, cause=MISTAKE, reason="Or not.")

    def test_after_a_failure_is_never_dearer(self, world: World, resource: Resource) -> None:
        request = ask(world.owner, resource, HARDWARE)
        RestoreRequest.objects.filter(pk=request.pk).update(status="failed")
        with pytest.raises(Refused, match="too late to ask"):
            correct_cause(by=world.it, request=request, cause=MISTAKE, reason="Their own script.")

    @pytest.mark.parametrize("name", ["owner", "staff", "manager", "auditor", "administrator", "stranger", "robot"])
    def test_is_its_alone(self, world: World, resource: Resource, name: str) -> None:
        request = ask(world.staff, resource)
        with pytest.raises(NotPermitted):
            correct_cause(by=getattr(world, name), request=request, cause=HARDWARE, reason=WHY)

    @pytest.mark.parametrize("status", ["approved", "running", "rejected", "undone", "expired"])
    def test_comes_too_late(self, world: World, resource: Resource, status: str) -> None:
        request = ask(world.owner, resource)
        RestoreRequest.objects.filter(pk=request.pk).update(status=status)
        with pytest.raises(Refused, match="cannot be corrected now"):
            correct_cause(by=world.it, request=request, cause=HARDWARE, reason=WHY)

    def test_needs_another_cause_and_a_reason(self, world: World, resource: Resource) -> None:
        request = ask(world.owner, resource)
        with pytest.raises(InvalidInput, match="That is the cause it has"):
            correct_cause(by=world.it, request=request, cause=MISTAKE, reason=WHY)
        with pytest.raises(InvalidInput, match="Say why"):
            correct_cause(by=world.it, request=request, cause=HARDWARE, reason="")
        assert RestoreRequest.objects.get().why is MISTAKE


@pytest.mark.usefixtures("card")
def test_who_answers_for_the_price_cancels_what_staff_asked_for_until_it_runs(world: World, resource: Resource) -> None:
    """The standing consent let staff spend their money."""
    Agreement.objects.create(client=world.client, currency="EUR", standing_limit=Decimal(100))
    first, free = ask(world.staff, resource), ask(world.staff, resource, HARDWARE, mode=Mode.EXPORT)
    robot = person("machine", Role.CLIENT, world.client, service=True)
    for who in (world.stranger, robot):
        with pytest.raises(NotPermitted):
            cancel(by=who, request=first, reason="Never asked for.")
    assert cancel(by=world.owner, request=first, reason="Never asked for.").state is Status.CANCELLED
    with pytest.raises(NotPermitted, match="Only the person who asked, or IT"):
        cancel(by=world.owner, request=free, reason="It costs nothing.")
    with pytest.raises(Refused, match="is cancelled and cannot be cancelled"):
        cancel(by=world.owner, request=first, reason="Never asked for.")
    second = ask(world.staff, resource)
    agreed(world.it, second)
    assert cancel(by=world.owner, request=second, reason="Never asked for.").state is Status.CANCELLED
    Agreement.objects.update(standing_limit=None)
    with pytest.raises(Refused, match="Decline the estimate instead"):
        cancel(by=world.owner, request=ask(world.staff, resource), reason="Never asked for.")


def test_without_a_rate_nothing_is_asked_and_nothing_can_be_charged(world: World, resource: Resource) -> None:
    request = ask(world.owner, resource)
    assert (request.state, request.price) == (Status.SUBMITTED, None)
    publish(world, since=date(2021, 1, 1))
    agreed(world.it, request)  # a card that came later changes no plan
    perform_restore(request.pk)
    charge = Charge.objects.get()
    with pytest.raises(Refused, match="No price was accepted"):
        confirm_charge(by=world.manager, charge=charge, reason="As agreed.")
    assert waive_charge(by=world.manager, charge=charge, reason="No price.").charged is None


@pytest.mark.parametrize(
    ("priced", "days", "status"),
    [(False, 13.9, "submitted"), (False, 14.1, "expired"), (True, 6.9, "awaiting_consent"), (True, 7.1, "expired")],
)
def test_a_request_on_which_nobody_acts_expires_and_is_never_approved_by_time(
    world: World, resource: Resource, priced: bool, days: float, status: str
) -> None:
    if priced:
        publish(world)
    request = ask(world.owner, resource)
    later: Any = timezone.now() + timedelta(days=days)
    for _ in range(2):
        expire_requests(later)
    request.refresh_from_db()
    assert request.status == status
    assert Pin.objects.exists() is (status != "expired")
    if status == "expired":
        assert request.events.last().by is None  # type: ignore[union-attr]
        assert request.closed_at == later


def test_what_has_expired_is_not_acted_on_before_the_portal_closes_it(world: World, resource: Resource) -> None:
    """The scheduler is down: the time is up all the same."""
    publish(world)
    dear, free = ask(world.owner, resource), ask(world.owner, resource, HARDWARE, mode=Mode.EXPORT)
    RestoreRequest.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    with pytest.raises(Refused, match="it has expired"):
        accept(by=world.owner, request=dear, plan_digest=dear.plan_digest)
    with pytest.raises(Refused, match="it has expired"):
        agreed(world.it, free)
    assert reject(by=world.it, request=free, reason="Too late.").state is Status.REJECTED


def test_a_clock_that_leapt_expires_nothing_and_holds_up_nobody(
    world: World, resource: Resource, monkeypatch: pytest.MonkeyPatch
) -> None:
    request, before = ask(world.owner, resource, HARDWARE), timezone.now()
    follow_clock(before)
    monkeypatch.setattr(timezone, "now", lambda: before + timedelta(days=40))
    assert expire_requests(timezone.now()) == 0
    assert agreed(world.it, request).state is Status.APPROVED


def test_what_an_older_portal_made_free_meanwhile_asks_again(world: World, resource: Resource) -> None:
    """It runs beside this one while it is updated, and knows no ids of ended consents."""
    publish(world)
    request = ask(world.owner, resource)
    accept(by=world.owner, request=request, plan_digest=request.plan_digest)
    RestoreRequest.objects.filter(pk=request.pk).update(freed_at=timezone.now())
    assert [consent.stands for consent in request.consents.select_related("request")] == [False]


def test_an_older_portals_request_expires_as_well(world: World, resource: Resource) -> None:
    request = ask(world.owner, resource)
    RestoreRequest.objects.update(expires_at=None)
    expire_requests(timezone.now())
    request.refresh_from_db()
    assert request.expires_at is not None
