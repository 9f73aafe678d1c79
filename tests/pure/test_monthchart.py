"""The months' chart: round figures beside it, and bars that are as high as they say."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moneyed import Money

from restores.monthchart import charts, scale
from restores.months import Decided
from tests.pure.test_ledger import DECISIONS

CENT = Decimal("0.01")
NOVEMBER = date(2026, 11, 1)


def decided(amount: str, currency: str = "EUR", month: date = NOVEMBER) -> Decided:
    return Decided(month, "Shopco", currency, "A release", 1, Decimal(amount), Decimal(0))


@pytest.mark.parametrize(
    ("highest", "figures"),
    [("45", "0 10 20 30 40 50"), ("50", "0 10 20 30 40 50"), ("50.01", "0 20 40 60"), ("0.01", "0 0.01"),
     ("1234.5", "0 500 1000 1500")],
)  # fmt: skip
def test_figures_are_round_and_few(highest: str, figures: str) -> None:
    assert scale(Decimal(highest), CENT) == [Decimal(figure) for figure in figures.split()]


@given(st.decimals(min_value=CENT, max_value=10**12, places=2))
def test_the_scale_reaches_the_highest_and_not_far_beyond(highest: Decimal) -> None:
    figures = scale(highest, CENT)
    assert figures[-2] < highest <= figures[-1]
    assert 2 <= len(figures) <= 6
    assert str(figures[1].normalize().as_tuple().digits) in ("(1,)", "(2,)", "(5,)")


@given(DECISIONS)
def test_bars_are_as_high_as_they_say(decisions: list[Decided]) -> None:
    for chart in charts(decisions, NOVEMBER):
        assert len(chart.bars) == 12
        top = Decimal(chart.ticks[-1].label.replace(",", ""))
        for bar in chart.bars:
            assert chart.left <= bar.x
            assert bar.x + bar.width <= chart.right
            assert bar.y + bar.height == pytest.approx(chart.base)
            assert bar.height == pytest.approx(
                float(bar.amount.amount / top) * (chart.base - chart.ticks[-1].y), abs=0.1
            )


def test_it_speaks_the_currencys_coins() -> None:
    euros, yen = charts([decided("0.07"), decided("12000", "JPY")], NOVEMBER)
    assert [tick.label for tick in euros.ticks] == ["0.00", "0.02", "0.04", "0.06", "0.08"]
    assert [tick.label for tick in yen.ticks] == ["0", "5,000", "10,000", "15,000"]
    assert euros.left < yen.left, "there is room for its figures"


def test_the_year_stands_where_it_begins() -> None:
    [chart] = charts([decided("45")], NOVEMBER)
    assert [(bar.label, bar.year) for bar in chart.bars[:3]] == [("Dec", ""), ("Jan", "2026"), ("Feb", "")]
    assert chart.bars[-1].amount == Money("45", "EUR")
    [chart] = charts([decided("45", month=date(2026, 9, 1))], date(2026, 9, 1))
    assert [bar.year for bar in chart.bars] == ["2025", "", "", "2026"] + [""] * 8


def test_what_is_over_for_long_has_no_chart() -> None:
    assert charts([decided("45", month=date(2025, 11, 1))], NOVEMBER) == []
