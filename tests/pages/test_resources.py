"""The list of resources: what it shows, its filters, order and pages, its queries, and the CSV."""

from __future__ import annotations

import csv
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backups.models import Resource
from tests.factories import Cast, make_backup, make_removed, make_resource
from tests.pages.conftest import As


def names(answer: Any) -> list[str]:
    return [row["resource"].name for row in answer.context["rows"]]


def fill(cast: Cast, now: datetime, number: int) -> None:
    for index in range(number):
        resource = make_resource(cast.shop, f"shop-{index:03}")
        make_backup(resource, now - timedelta(hours=index % 20), regions=("eu-central-1", "eu-west-1"))


def test_a_constant_number_of_queries(as_: As, cast: Cast, now: datetime) -> None:
    browser, counts = as_("it"), []
    for number in (5, 45):
        fill_from = Resource.objects.count()
        for index in range(fill_from, fill_from + number):
            make_backup(make_resource(cast.shop, f"more-{index:03}"), now - timedelta(hours=2))
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert browser.get("/resources/").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 15


def test_on_a_phone_every_value_has_the_name_of_its_column(as_: As, cast: Cast) -> None:
    """Rows become lists there, so that how a resource stands is on the screen."""
    make_resource(cast.shop, "shop-db")
    [(classes, rows)] = re.findall(
        r'<table class="([^"]*)">.*?<tbody[^>]*>(.*?)</tbody>',
        as_("client").get("/resources/").content.decode(),
        re.DOTALL,
    )
    assert "table-stacked" in classes.split()
    cells = re.findall(r"<td([^>]*)>", rows)
    shown = [re.findall('data-label="(.*?)"', cell) for cell in cells if "wide" not in cell]
    assert shown == [["Last good"], ["Backups"], ["State"]]


def test_search_and_filters(as_: As, cast: Cast, now: datetime) -> None:
    make_resource(cast.shop, "shop-db", kind="postgres")
    make_resource(cast.shop, "shop-files", environment="staging")
    make_resource(cast.news, "news-db", kind="postgres")
    make_removed(cast.news, "gone")
    browser = as_("it")
    for query, expected in {
        "": ["news-db", "shop-db", "shop-files"],
        "q=shopco+db": ["shop-db"],
        f"client={cast.mediaco.pk}": ["news-db"],
        f"application={cast.shop.pk}&environment=staging": ["shop-files"],
        "kind=postgres&sort=-name": ["shop-db", "news-db"],
        "state=removed": ["gone"],
        "state=vanished": [],
        "region=nowhere&client=x&environment=%00&sort=password": ["news-db", "shop-db", "shop-files"],
    }.items():
        assert names(browser.get(f"/resources/?{query}")) == expected, query


def test_late_ones_and_those_without_any(as_: As, cast: Cast, now: datetime) -> None:
    make_backup(make_resource(cast.shop, "fine"), now - timedelta(hours=25))
    make_backup(make_resource(cast.shop, "late"), now - timedelta(hours=27))
    make_resource(cast.shop, "new")
    forgotten = make_resource(cast.shop, "forgotten")
    Resource.objects.filter(pk=forgotten.pk).update(created_at=now - timedelta(days=3))
    browser = as_("auditor")
    assert names(browser.get("/resources/?state=late")) == ["forgotten", "late"]
    assert names(browser.get("/resources/?state=none")) == ["forgotten", "new"]
    assert names(browser.get("/resources/?sort=last")) == ["forgotten", "new", "late", "fine"] or names(
        browser.get("/resources/?sort=last")
    ) == ["new", "forgotten", "late", "fine"]


def test_a_chip_removes_its_filter_and_keeps_the_rest(as_: As, cast: Cast) -> None:
    make_resource(cast.shop, "shop-db")
    answer = as_("it").get("/resources/?q=shop&kind=files&sort=-name&after=xyz")
    assert answer.context["filters"].chips == [
        ("“shop”", "?kind=files&sort=-name"),
        ("Directory tree", "?q=shop&sort=-name"),
    ]
    assert 'href="?kind=files&amp;sort=-name"' in answer.content.decode()


def test_no_filter_of_a_client_when_there_is_only_one(as_: As, cast: Cast) -> None:
    make_resource(cast.shop)
    assert 'name="client"' not in as_("client").get("/resources/").content.decode()
    assert 'name="client"' in as_("it").get("/resources/").content.decode()


@pytest.mark.parametrize("sort", ["name", "-name", "client", "application", "-kind", "last", "-last", "region"])
def test_pages_follow_one_another_and_keep_the_filters(as_: As, cast: Cast, now: datetime, sort: str) -> None:
    fill(cast, now, 60)
    make_resource(cast.news, "not-this-one")
    browser, seen = as_("it"), []
    answer = browser.get(f"/resources/?client={cast.shopco.pk}&sort={sort}")
    first = names(answer)
    seen += first
    page = answer.context["page"]
    assert not page.previous
    following = f"/resources/?client={cast.shopco.pk}&amp;sort={sort}&amp;after={page.next}".removeprefix("/resources/")
    assert f'href="{following}"' in answer.content.decode()
    second = browser.get(f"/resources/?client={cast.shopco.pk}&sort={sort}&after={page.next}")
    seen += names(second)
    assert len(seen) == len(set(seen)) == 60
    assert not second.context["page"].next
    back = browser.get(f"/resources/?client={cast.shopco.pk}&sort={sort}&before={second.context['page'].previous}")
    assert names(back) == first


def test_empty_lists_say_what_comes_next(as_: As, cast: Cast) -> None:
    assert "Register the first one" in as_("it").get("/resources/").content.decode()
    assert "Once IT has registered" in as_("client").get("/resources/").content.decode()
    make_resource(cast.shop)
    assert "Nothing matches" in as_("client").get("/resources/?q=nothing-like-it").content.decode()


def test_csv_is_the_filtered_list(as_: As, cast: Cast, now: datetime) -> None:
    cast.shop.name = "=cmd()"
    cast.shop.save()
    make_backup(make_resource(cast.shop, "shop-db"), now)
    make_resource(cast.shop, "other")
    answer = as_("client").get("/resources/export.csv?q=db")
    lines = list(csv.DictReader(answer.getvalue().decode().splitlines()))
    assert [(line["name"], line["application"]) for line in lines] == [("shop-db", "'=cmd()")]
    assert lines[0]["last_good_backup"] == now.isoformat()
    assert answer["Content-Disposition"].startswith("attachment")
