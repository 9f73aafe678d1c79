"""Accounting's figures: totals by currency, months and causes; nothing mixed, nothing lost."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from moneyed import Money

from restores.ledger import COLUMNS, Entry, as_csv, lines_of, totals_of
from restores.months import Decided, by_cause, by_month

AMOUNTS = st.decimals(min_value=0, max_value=10**6, places=2)
MONTHS = st.dates(min_value=date(2024, 1, 1), max_value=date(2027, 12, 31)).map(lambda day: day.replace(day=1))
ENTRIES = st.builds(
    Entry,
    charge=st.integers(1, 10**6),
    day=st.dates(min_value=date(2024, 1, 1), max_value=date(2027, 12, 31)),
    customer_number=st.text(max_size=8),
    customer=st.text(max_size=20),
    reference=st.just("RR-1042"),
    resource=st.text(max_size=20),
    cause=st.just("Something else"),
    amount=st.builds(Money, AMOUNTS, st.sampled_from(["EUR", "CHF"])),
    decided_by=st.text(max_size=12),
)
DECISIONS = st.lists(
    st.builds(
        Decided,
        month=MONTHS,
        client=st.sampled_from(["Shopco", "Mediaco"]),
        currency=st.sampled_from(["EUR", "CHF"]),
        cause=st.sampled_from(["A release", "A mistake"]),
        restores=st.integers(1, 9),
        charged=AMOUNTS,
        let_off=AMOUNTS,
    ),
    max_size=30,
)


@given(st.lists(ENTRIES, max_size=12, unique_by=lambda one: one.charge))
def test_an_export_is_the_same_in_whatever_order_it_is_read_and_loses_nothing(entries: list[Entry]) -> None:
    lines = lines_of("EXP-7", entries)
    assert lines == lines_of("EXP-7", list(reversed(entries)))
    assert Counter(line[COLUMNS.index("charge")] for line in lines) == Counter(f"CH-{one.charge}" for one in entries)
    for code, total in totals_of(entries).items():
        of_it = [Decimal(line[-3]) for line in lines if line[-2] == code]
        assert Money(sum(of_it, Decimal(0)), code) == total
    assert as_csv(lines).count(b"\r\n") == len(lines) + 1, "a line each, whatever is in the names"
    assert not any(cell.startswith(("=", "+", "-", "@")) for line in lines for cell in line)


@given(DECISIONS)
def test_months_and_causes_sum_up_to_the_same(decisions: list[Decided]) -> None:
    whole = Counter[str]()
    for one in decisions:
        whole[one.currency] += one.restores
    in_months, in_causes = Counter[str](), Counter[str]()
    for month in by_month(decisions):
        for (_, currency), total in month.clients.items():
            in_months[currency] += total.restores
            assert total.charged is not None
            assert total.charged.currency.code == currency
    for _, currency, total, counts in by_cause(decisions):
        in_causes[currency] += total.restores
        assert len(counts) == 12
        assert sum(counts) <= total.restores
    assert in_months == in_causes == whole
