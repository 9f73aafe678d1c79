"""The account manager's desk: what is charged, adjusted, let off, reopened and exported."""

from __future__ import annotations

import csv
import io
import threading
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from backups.drivers.base import Mode
from backups.models import Resource
from portal.errors import InvalidInput, NotPermitted, Refused
from portal.models import Membership
from portal.roles import Role
from restores.actions.charges import adjust_charge, confirm_charge, reopen_charge, waive_charge
from restores.actions.exporting import export_charges
from restores.actions.filing import file_request
from restores.charging import Cause
from restores.ledger import COLUMNS, as_csv, checksum_of
from restores.models import Agreement, Charge, ChargeExport, ChargeStatus, Rate, RateCard, RestoreRequest
from restores.workbook import as_xlsx
from tests.app.world import World

TODAY = timezone.now().date


@pytest.fixture
def card(world: World) -> RateCard:
    card = RateCard.objects.create(
        currency="EUR", valid_from=date(2020, 1, 1), let_off_limit=Decimal("20.00"), published_at=timezone.now(),
        published_by=world.administrator, reason="Yearly.",
    )  # fmt: skip
    Rate.objects.create(card=card, flat=Decimal("45.00"))
    return card


def charged(world: World, resource: Resource) -> Charge:
    """A finished restore whose price the client accepted."""
    request = file_request(
        by=world.owner,
        backup=resource.backups.get(),
        mode=Mode.BESIDE,
        reason="The shop is empty.",
        cause=Cause.DELETED_BY_MISTAKE,
        accepts="45.00 EUR",
    )
    RestoreRequest.objects.filter(pk=request.pk).update(status="completed")
    return Charge.objects.create(
        request=request, client=request.client, created_at=timezone.now(), estimated=Decimal("45.00"), currency="EUR"
    )


@pytest.fixture
def charge(world: World, resource: Resource, card: RateCard) -> Charge:
    return charged(world, resource)


def amount_of(charge: Charge) -> tuple[str, Decimal | None]:
    charge.refresh_from_db()
    return charge.status, charge.amount


def test_it_is_charged_as_accepted_or_less_within_the_limit(world: World, charge: Charge) -> None:
    adjust_charge(by=world.manager, charge=charge, amount=Decimal("25.00"), reason="It took long.")
    assert amount_of(charge) == ("adjusted", Decimal("25.00"))
    reopen_charge(by=world.manager, charge=charge, reason="A typing error.")
    assert amount_of(charge) == ("to_review", None)
    confirm_charge(by=world.manager, charge=charge, reason="As agreed.")
    assert amount_of(charge) == ("confirmed", Decimal("45.00"))
    told = [event.text for event in charge.request.events.all() if event.move == "note"]
    assert told[-3:] == [
        "manager adjusted the charge from EUR\xa045.00 to EUR\xa025.00",
        "manager reopened the charge (EUR\xa025.00, adjusted)",
        "manager confirmed the charge of EUR\xa045.00",
    ]


def test_beyond_the_limit_an_administrator_decides(world: World, charge: Charge) -> None:
    for act in (
        lambda by: adjust_charge(by=by, charge=charge, amount=Decimal("24.99"), reason="Goodwill."),
        lambda by: waive_charge(by=by, charge=charge, reason="Goodwill."),
    ):
        with pytest.raises(NotPermitted, match="You let a client off EUR\xa020.00 at most"):
            act(world.manager)
        act(world.administrator)
        with pytest.raises(NotPermitted, match="Ask an administrator to reopen it"):
            reopen_charge(by=world.manager, charge=charge, reason="I want it charged.")
        reopen_charge(by=world.administrator, charge=charge, reason="Again.")


@pytest.mark.parametrize(
    ("amount", "words"),
    [("0", "waive it"), ("-5", "waive it"), ("45.01", "never charged more"), ("45.00", "confirm it"), ("NaN", "waive it"),
     ("30.001", "no coin that small")],
)  # fmt: skip
def test_an_amount_that_makes_no_sense_is_refused(world: World, charge: Charge, amount: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        adjust_charge(by=world.manager, charge=charge, amount=Decimal(amount), reason="Because.")
    assert amount_of(charge) == ("to_review", None)


@pytest.mark.parametrize("name", ["owner", "staff", "it", "auditor", "stranger", "nobody"])
def test_who_may_not_decides_reopens_and_exports_nothing(world: World, charge: Charge, name: str) -> None:
    who: Any = getattr(world, name)
    confirm_charge(by=world.manager, charge=charge, reason="As agreed.")
    with pytest.raises(NotPermitted):
        reopen_charge(by=who, charge=charge, reason="No, wrong.")
    with pytest.raises(NotPermitted):
        export_charges(by=who, through=TODAY())
    assert not ChargeExport.objects.visible_to(who).exists()


def rows_of(export: ChargeExport) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(as_csv(export.rows).decode(), newline="")))


def test_an_export_holds_what_is_charged_once_and_is_the_same_whenever_it_is_fetched(
    world: World, resource: Resource, card: RateCard
) -> None:
    Agreement.objects.create(client=world.client, currency="EUR", customer_number="10042")
    charges = [charged(world, resource) for _ in range(3)]
    confirm_charge(by=world.manager, charge=charges[0], reason="As agreed.")
    adjust_charge(by=world.manager, charge=charges[1], amount=Decimal("30.00"), reason="Goodwill.")
    export = export_charges(by=world.manager, through=TODAY())
    assert (export.number, export.count, export.totals) == ("EXP-1", 2, {"EUR": "75.00"})
    rows = rows_of(export)
    assert [(row["line"], row["customer_number"], row["amount"], row["currency"]) for row in rows] == [
        ("1", "10042", "45.00", "EUR"),
        ("2", "10042", "30.00", "EUR"),
    ]
    assert rows[0]["reference"] == charges[0].request.number
    with pytest.raises(Refused, match="nothing to export"):
        export_charges(by=world.manager, through=TODAY())
    with pytest.raises(Refused, match="exported with EXP-1"):
        reopen_charge(by=world.manager, charge=charges[0], reason="Too late.")
    before = as_csv(export.rows), as_xlsx(export.number, export.created_at, export.rows)
    world.client.name = "Another name"
    world.client.save()
    again = ChargeExport.objects.get()
    assert (as_csv(again.rows), as_xlsx(again.number, again.created_at, again.rows)) == before
    assert checksum_of(again.rows) == again.checksum
    Charge.objects.filter(pk=charges[2].pk).update(status=ChargeStatus.TO_REVIEW)
    confirm_charge(by=world.manager, charge=charges[2], reason="As agreed.")
    assert export_charges(by=world.administrator, through=TODAY()).number == "EXP-2"


def test_an_export_reaches_to_a_day_and_holds_ones_own_clients_alone(world: World, charge: Charge) -> None:
    confirm_charge(by=world.manager, charge=charge, reason="As agreed.")
    with pytest.raises(InvalidInput, match="yet to come"):
        export_charges(by=world.manager, through=TODAY() + timedelta(days=2))
    with pytest.raises(Refused, match="nothing to export"):
        export_charges(by=world.manager, through=TODAY() - timedelta(days=2))
    Membership.objects.filter(user=world.stranger).delete()
    Membership.objects.create(user=world.stranger, role=Role.ACCOUNT_MANAGER, client=world.elsewhere)
    other: Any = type(world.stranger).objects.get(pk=world.stranger.pk)
    with pytest.raises(Refused, match="nothing to export"):
        export_charges(by=other, through=TODAY())
    made = export_charges(by=world.manager, through=TODAY())
    assert not ChargeExport.objects.visible_to(other).exists()
    assert ChargeExport.objects.visible_to(world.auditor).get() == made
    with pytest.raises(TypeError, match="never changed"):
        made.save()


def test_two_who_export_in_the_same_moment_export_nothing_twice(
    world: World, resource: Resource, card: RateCard
) -> None:
    for _ in range(6):
        confirm_charge(by=world.manager, charge=charged(world, resource), reason="As agreed.")
    start, told = threading.Barrier(2), []

    def export() -> None:
        try:
            start.wait(30)
            told.append(export_charges(by=world.manager, through=TODAY()).count)
        except Refused as error:
            told.append(str(error))
        finally:
            connection.close()

    both = [threading.Thread(target=export) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(60)
    assert len(told) == 2
    assert 6 in told
    assert [row["line"] for made in ChargeExport.objects.all() for row in rows_of(made)] == list("123456")


def test_no_cell_is_a_formula_and_no_name_breaks_a_line(world: World, charge: Charge) -> None:
    charge.client.name = '=cmd|"/C calc"!A0\nBcc, "x"'
    charge.client.save()
    confirm_charge(by=world.manager, charge=charge, reason="As agreed.")
    row = rows_of(export_charges(by=world.manager, through=TODAY()))[0]
    assert row["customer"] == '\'=cmd|"/C calc"!A0 Bcc, "x"'
    assert tuple(row) == COLUMNS


def test_what_an_older_portal_confirmed_without_an_amount_holds_up_no_export(world: World, charge: Charge) -> None:
    decided = {"decided_at": timezone.now(), "decided_by": world.manager, "reason": "As agreed."}
    Charge.objects.filter(pk=charge.pk).update(status="confirmed", amount=None, estimated=None, currency="", **decided)
    with pytest.raises(Refused, match="nothing to export"):
        export_charges(by=world.manager, through=TODAY())
