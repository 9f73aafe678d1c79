"""On a phone rows become lists, and the head of the table is not seen: each value has the name of its column."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from restores.models import Agreement, Charge
from tests.factories import Cast
from tests.pages.conftest import As
from tests.pages.restores.test_ledger import decide
from tests.pages.restores.test_prices import make_card

UNNAMED = {"Change"}
"""Links that say themselves what they are."""


@pytest.mark.parametrize(
    ("name", "tables"), [("prices", 3), ("rate_card_new", 1), ("kept", 1), ("charge_exports", 1), ("charge_months", 2)]
)
def test_every_value_has_the_name_of_its_column(as_: As, cast: Cast, charge: Charge, name: str, tables: int) -> None:
    for days in (0, 30):
        make_card(cast, since=timezone.now().date() + timedelta(days=days))
    Agreement.objects.create(client=cast.shopco, currency="EUR", standing_limit=100)
    decide(as_, charge, "confirm")
    as_("account_manager").post(reverse("charge_export_new"), {"through": timezone.now().date().isoformat()})
    page = as_("administrator").get(reverse(name)).content.decode()
    found = re.findall(r'<table class="(table [^"]*)">(.*?)</table>', page, re.DOTALL)
    assert len(found) == tables
    for classes, table in found:
        assert "table-stacked" in classes.split()
        columns = [strip_tags(head) for head in re.findall("<th[^>]*>(.*?)</th>", table.partition("<tbody")[0])]
        rows = re.findall("<tr>(.*?)</tr>", table.partition("<tbody")[2], re.DOTALL)
        assert rows
        for row in rows:
            labels = re.findall('<td data-label="([^"]*)"', row)
            assert labels == ["" if column in UNNAMED else column for column in columns[1:]]
            assert row.count("<td") == len(labels)
