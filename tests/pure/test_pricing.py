"""Money is exact: no float, rounded once, currencies never mixed."""

from __future__ import annotations

import json
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moneyed import Money

from restores.pricing import Estimate, Rate, covers, in_money, is_currency, rounded, work_out

PRICES = st.decimals(min_value=0, max_value=9999, places=4, allow_nan=False, allow_infinity=False)
HOURS = st.decimals(min_value=0, max_value=99, places=2, allow_nan=False, allow_infinity=False)
CURRENCIES = st.sampled_from(["EUR", "CHF", "JPY"])
SIZES = st.integers(min_value=0, max_value=2**50)
RATES = st.builds(Rate, PRICES, PRICES, PRICES, HOURS)
COINS = {"EUR": Decimal("0.01"), "CHF": Decimal("0.01"), "JPY": Decimal(1)}


@given(RATES, CURRENCIES, SIZES)
def test_the_total_is_the_exact_sum_rounded_once(rate: Rate, currency: str, size: int) -> None:
    made = work_out(rate, currency, card=7, size=size)
    gib = (Decimal(size) / 2**30).quantize(Decimal("0.01"), ROUND_HALF_UP)
    exact = rate.flat + rate.per_gib * gib + rate.per_hour * rate.usual_hours
    assert made.total == Money(exact.quantize(COINS[currency], ROUND_HALF_UP), currency)
    assert sum((line.amount for line in made.lines), Money(0, currency)) == Money(exact, currency)
    assert all(line.amount.amount > 0 for line in made.lines)


@given(RATES, CURRENCIES, SIZES)
def test_what_is_frozen_into_a_plan_is_read_back_the_same_and_holds_no_float(
    rate: Rate, currency: str, size: int
) -> None:
    made = work_out(rate, currency, card=7, size=size)
    through = json.loads(json.dumps(made.as_json()), parse_float=lambda text: pytest.fail(f"a float: {text}"))
    assert Estimate.from_json(through) == made


@given(RATES, SIZES, SIZES)
def test_more_data_is_never_cheaper(rate: Rate, one: int, other: int) -> None:
    small, large = sorted([one, other])
    assert (
        work_out(rate, "EUR", card=1, size=small).total.amount <= work_out(rate, "EUR", card=1, size=large).total.amount
    )


@given(PRICES, PRICES, CURRENCIES, CURRENCIES)
def test_a_consent_covers_as_much_in_its_own_currency_alone(
    accepted: Decimal, price: Decimal, one: str, other: str
) -> None:
    assert covers(Money(accepted, one), Money(price, other)) is (one == other and accepted >= price)
    if one != other:
        with pytest.raises(TypeError):
            Money(accepted, one) + Money(price, other)


def test_half_a_coin_goes_up() -> None:
    assert rounded(Money("1.005", "EUR")) == Money("1.01", "EUR")
    assert rounded(Money("0.5", "JPY")) == Money(1, "JPY")


def test_in_words() -> None:
    said = [in_money(Money(*each)) for each in (("1234.5", "EUR"), ("1000", "JPY"), ("0.0125", "EUR"), ("0", "CHF"))]
    assert said == ["EUR\u00a01,234.50", "JPY\u00a01,000", "EUR\u00a00.0125", "CHF\u00a00.00"]
    assert is_currency("EUR")
    assert not is_currency("eur")
    assert not is_currency("KWD"), "thousandths would be lost"
    assert not is_currency("")
