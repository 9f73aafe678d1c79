"""Paging by key: nothing is lost, nothing is shown twice, whatever the ties and the direction."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Coalesce
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backups.models import Resource
from portal.paging import Column, in_order, read_page
from tests.factories import Cast, make_resource

MOMENTS = [None, *(datetime(2026, 11, day, tzinfo=UTC) for day in (1, 2))]
ORDERS = st.tuples(st.sampled_from(["last_good_at", "environment", "application__name"]), st.booleans(), st.booleans())
ROWS = st.lists(st.tuples(st.sampled_from(MOMENTS), st.sampled_from(["production", "staging"])), max_size=12)


def walk(columns: list[Column], size: int) -> tuple[list[list[int]], list[list[int]]]:
    """All pages forwards, and then all of them backwards from the last."""
    resources = Resource.objects.select_related("application")
    forwards, page = [], read_page(resources, columns, {}, size=size)
    forwards.append([row.pk for row in page.rows])
    while page.next:
        page = read_page(resources, columns, {"after": page.next}, size=size)
        forwards.append([row.pk for row in page.rows])
    backwards = [[row.pk for row in page.rows]]
    while page.previous:
        page = read_page(resources, columns, {"before": page.previous}, size=size)
        backwards.insert(0, [row.pk for row in page.rows])
    return forwards, backwards


@given(rows=ROWS, order=ORDERS, size=st.integers(1, 5))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_row_once_in_order_both_ways(
    cast: Cast, rows: list[tuple[datetime | None, str]], order: tuple[str, bool, bool], size: int
) -> None:
    Resource.objects.all().delete()
    for moment, environment in rows:
        make_resource(cast.shop, last_good_at=moment, environment=environment)
    path, descending, by_id_descending = order
    columns = [Column(path, descending), Column("id", by_id_descending)]
    expected = [row.pk for row in in_order(Resource.objects.all(), columns)]
    forwards, backwards = walk(columns, size)
    assert [pk for page in forwards for pk in page] == expected
    assert [pk for page in backwards for pk in page] == expected
    assert all(len(page) <= size for page in forwards)


def test_rows_added_meanwhile_move_nothing(cast: Cast) -> None:
    for name in ("b", "d", "f", "h"):
        make_resource(cast.shop, name)
    columns = [Column("name"), Column("id")]
    first = read_page(Resource.objects.all(), columns, {}, size=2)
    make_resource(cast.shop, "a")
    make_resource(cast.shop, "e")
    second = read_page(Resource.objects.all(), columns, {"after": first.next}, size=2)
    assert [row.name for row in first.rows + second.rows] == ["b", "d", "e", "f"]


def cursor_of(*values: Any) -> str:
    return urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


WITHOUT_SENSE: list[Any] = [
    None, True, 1.5, "", "a\0b", "\ud800", "x" * 100_000, 2**63, -(2**70), 10**4000, [], {}, {"time": "soon"},
    "2026-11-01T00:00:00", {"time": "2026-11-01T00:00:00"}, {"time": "0001-01-01T00:00:00+14:00"},
    {"time": "9999-12-31T23:59:59-14:00"}, {"time": "9999-12-31T23:59:59Z"}, {"time": "0001-01-01T00:00:00Z"},
]  # fmt: skip


@pytest.mark.parametrize("path", ["last_good_at", "created_at", "name", "application__name", "at"])
@pytest.mark.parametrize("value", WITHOUT_SENSE, ids=repr)
def test_no_value_in_a_cursor_is_a_fault(cast: Cast, path: str, value: Any) -> None:
    made = make_resource(cast.shop, last_good_at=MOMENTS[1])
    resources = Resource.objects.select_related("application").annotate(at=Coalesce("last_good_at", "created_at"))
    for descending in (False, True):
        columns = [Column(path, descending), Column("pk", descending)]
        for values in ((value, made.pk), (made.name, value), ({"time": "2026-11-01T00:00:00+00:00"}, value)):
            for name in ("after", "before"):
                assert len(read_page(resources, columns, {name: cursor_of(*values)}).rows) <= 1


def test_an_index_can_serve_every_order_without_nulls(cast: Cast) -> None:
    asked = str(
        in_order(Resource.objects.all(), [Column("name", True), Column("application__name"), Column("pk")]).query
    )
    assert "NULLS" not in asked
    assert "NULLS FIRST" in str(in_order(Resource.objects.all(), [Column("last_good_at"), Column("pk")]).query)


def test_a_list_by_name_is_read_from_its_index(cast: Cast) -> None:
    columns = [Column("name"), Column("id")]
    after = read_page(Resource.objects.all(), columns, {"after": cursor_of("m", 1)})
    assert after.rows == []
    plan = in_order(Resource.objects.all(), columns).only("id")[:5].explain()
    if connection.vendor == "sqlite":
        assert "resource_by_name" in plan
        assert "TEMP B-TREE" not in plan


@pytest.mark.parametrize("cursor", ["x", "e30", "WzFd", "W1sxXSwyXQ", "Ww", "%%%", "é", "WyIxIiwgMV0"])
def test_a_cursor_without_sense_is_the_start(cast: Cast, cursor: str) -> None:
    make_resource(cast.shop, last_good_at=MOMENTS[1])
    columns = [Column("last_good_at"), Column("id")]
    for address in ({"after": cursor}, {"before": cursor}):
        assert len(read_page(Resource.objects.all(), columns, address).rows) == 1
