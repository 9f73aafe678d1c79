"""Who may do what with prices and charges. Each check raises the sentence that pages and the API show; deny by default."""

from __future__ import annotations

from decimal import Decimal

from moneyed import Money

from portal.errors import NotPermitted, Refused
from portal.permissions import (
    Person,
    check_is_a_person,
    check_permission,
    has_permission,
    has_permission_somewhere,
)
from portal.roles import Permission
from restores.models import Charge, ChargeStatus
from restores.pricing import in_money


def check_can_see_prices(user: Person) -> None:
    """Everybody who has to do with requests sees what they cost."""
    if not has_permission_somewhere(user, Permission.VIEW_REQUESTS):
        raise NotPermitted("Prices are for clients and for the people who work for them.")


def check_can_manage_prices(user: Person) -> None:
    """An administrator sets prices, and what is agreed with clients."""
    check_permission(user, Permission.MANAGE_PRICES, None, "Only an administrator sets prices.")
    check_is_a_person(user)


def check_can_decide_charge(user: Person, charge: Charge) -> None:
    """The client's account manager decides, once; an administrator where it goes beyond what they may let off."""
    _check_money(user, charge, "Only an account manager of this client decides its charges.")
    if charge.status != ChargeStatus.TO_REVIEW:
        raise Refused(f"This charge was {charge.get_status_display().lower()} already.")


def check_can_let_off(
    user: Person, charge: Charge, off: Decimal, limit: Decimal | None, *, act: str = "decide"
) -> None:
    """So much of what was accepted is not charged: within what an account manager may, or an administrator's word."""
    if limit is not None and off > limit and not has_permission(user, Permission.DECIDE_ANY_CHARGE, charge.client):
        raise NotPermitted(
            f"You let a client off {in_money(Money(limit, charge.currency))} at most. Ask an administrator to {act} it."
        )


def check_can_reopen_charge(user: Person, charge: Charge) -> None:
    """A decision is taken back until it is exported; what its cause made free stays free."""
    _check_money(user, charge, "Only an account manager of this client reopens its charges.")
    if charge.status == ChargeStatus.TO_REVIEW:
        raise Refused("This charge is open: decide it.")
    if charge.status == ChargeStatus.VOID:
        raise Refused("IT corrected the cause, and by that it is free. That is not taken back.")
    if charge.export_id is not None:
        raise Refused(f"It was exported with EXP-{charge.export_id}. Correct it in accounting, by a credit note.")


def check_can_export(user: Person) -> None:
    """Account managers export the charges of their clients; administrators everybody's."""
    if not has_permission_somewhere(user, Permission.EXPORT_CHARGES):
        raise NotPermitted("Only account managers and administrators export charges.")
    check_is_a_person(user)


def _check_money(user: Person, charge: Charge, sentence: str) -> None:
    if not has_permission(user, Permission.DECIDE_ANY_CHARGE, charge.client):
        check_permission(user, Permission.DECIDE_CHARGES, charge.client, sentence)
    check_is_a_person(user)
