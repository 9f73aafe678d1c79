"""An amount is understood in one way only, or refused with what to enter instead."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.errors import InvalidInput
from portal.reasons import telling_reason
from restores.amounts import NotAnAmount, no_such_coin, read_amount, written

NOT_READ = "is not read as an amount. Enter digits"


@pytest.mark.parametrize(
    ("text", "amount"), [("45", "45"), ("45.00", "45"), (" 45.5\n", "45.5"), ("0", "0"), ("0.07", "0.07"), ("007", "7")]
)
def test_plain_digits_are_read(text: str, amount: str) -> None:
    assert read_amount(text, 2) == Decimal(amount)


@pytest.mark.parametrize(
    "text",
    ["٣", "３", "1e1", "1E+1", "NaN", "sNaN", "Infinity", "-inf", "1 000", "1\N{NO-BREAK SPACE}000", "1_000", "1'000", "1,5", "1,000",
     "1,000.50", "1.000,50", "-5", "+5", "0x10", "45 EUR", "€45", "½", ".5", "5.", "1.2.3", "", "True", "4\u200b5"],
)  # fmt: skip
def test_anything_else_is_refused_and_says_what_to_enter(text: str) -> None:
    with pytest.raises(NotAnAmount, match=NOT_READ):
        read_amount(text, 2)


def test_more_decimals_than_coins_have_and_more_digits_than_are_kept_are_refused() -> None:
    with pytest.raises(NotAnAmount, match="Enter 2 after the point at most"):
        read_amount("1.000", 2)
    with pytest.raises(NotAnAmount, match="is too large"):
        read_amount("9" * 5000, 2)
    with pytest.raises(NotAnAmount) as error:
        read_amount("x" * 5000, 2)
    assert len(str(error.value)) < 200


def test_a_thousand_or_one_is_asked_back() -> None:
    """Where prices have four decimals."""
    with pytest.raises(NotAnAmount, match="“1.250” may mean 1250 or 1.2500."):
        read_amount("1.250", 4)
    assert [read_amount(text, 4) for text in ("1250", "1.2500", "0.125", "1234.567")] == [
        Decimal(text) for text in ("1250", "1.25", "0.125", "1234.567")
    ]


@given(st.text())
def test_what_is_read_is_what_stands_there(text: str) -> None:
    try:
        amount = read_amount(text, 2)
    except NotAnAmount:
        return
    assert text.strip().isascii()
    assert f"{amount:f}" == text.strip()


@given(st.decimals(min_value=0, max_value=10**6, places=2))
def test_numbers_of_programs_are_read_as_they_are(amount: Decimal) -> None:
    assert read_amount(written(float(amount), 4), 4) == amount


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -1, -0.5, 1e22])
def test_numbers_that_are_no_amounts_are_refused(number: float) -> None:
    with pytest.raises(NotAnAmount):
        read_amount(written(number, 2), 2)


def test_coins() -> None:
    assert no_such_coin(Decimal("30.10"), "EUR") == no_such_coin(Decimal("30.00"), "JPY") == ""
    assert no_such_coin(Decimal("30.001"), "EUR").endswith("an amount with 2 decimals at most.")
    assert no_such_coin(Decimal("30.10"), "JPY") == "JPY has no coin that small. Enter an amount with no decimals."


class TestAReasonAboutMoney:
    @pytest.mark.parametrize("reason", ["x", "ok", "---", ". . .", "a\u200bb", "1"])
    def test_that_tells_nothing_is_refused(self, reason: str) -> None:
        with pytest.raises(InvalidInput, match="tells nobody why. Say why. A few words are enough") as error:
            telling_reason(reason, "Say why.")
        assert error.value.field == "reason"

    def test_that_is_none_is_missing(self) -> None:
        with pytest.raises(InvalidInput, match=r"^Say why\.$"):
            telling_reason(" \u200b ", "Say why.")

    @pytest.mark.parametrize("reason", ["Goodwill.", "SLA", "误账", "#123", " as agreed "])
    def test_that_tells_something_is_kept(self, reason: str) -> None:
        assert telling_reason(reason, "Say why.") == reason.strip()
