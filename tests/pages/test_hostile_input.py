"""Whatever stands in an address or a form, no list answers with a fault; nor does the page that asks for a restore."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from django.urls import reverse
from knox.models import AuthToken
from rest_framework.test import APIClient

from backups.models import Backup
from portal.choosing import MOST_CLIENTS
from portal.entered import search_words, whole_number
from portal.models import Client
from tests.factories import Cast, make_charge, make_finding, make_request
from tests.pages.conftest import As

PAGES = (
    "resources", "resources_export", "requests", "request_new", "approvals", "charges", "start", "compliance",
    "compliance_findings", "what_if", "retention",
)  # fmt: skip
LISTS = (
    "clients", "applications", "resources", "backups", "holds", "findings", "retention-runs", "restore-requests", "charges",
)  # fmt: skip
SEARCHES = [
    "\0",
    "a\0b",
    "a " * 1500,
    "x" * 60_000,
    "%",
    "_",
    "\\",
    "'\"",
    "RR-" + "9" * 5000,
    "RR-99999999999999999999",
    "RR-²",
]
NUMBERS = ["9" * 30, "9" * 5000, str(2**63), "-1", "0", "1e5", "²", "٣", "\0", "x", "1.5", " 1"]
MOMENTS = [
    "0001-01-01T00:00", "0001-01-01T00:00+14:00", "9999-12-31T23:59", "9999-12-31T23:59-14:00", "2026-02-30T00:00", "\0", "x" * 9999,
]  # fmt: skip
ROWS_NAMED: list[Any] = [
    ["\ud800", 1], ["\0", 1], [{"time": "0001-01-01T00:00:00+14:00"}, 1], [{"time": "9999-12-31T23:59:59-14:00"}, 1],
    ["x", 10**40], [None, None], [[], {}], [{"time": "2026-11-01T00:00:00Z"}, "x"], [True, True],
]  # fmt: skip
CURSORS = ["%%%", "é", "\0", *(urlsafe_b64encode(json.dumps(row).encode()).decode() for row in ROWS_NAMED)]


@pytest.fixture
def there(cast: Cast, backup: Backup) -> Backup:
    """Something in every list."""
    make_charge(make_request(backup, cast.client))
    make_finding(backup.resource)
    return backup


@pytest.mark.parametrize("page", [*PAGES[:4], *(pytest.param(page, marks=pytest.mark.slow) for page in PAGES[4:])])
@pytest.mark.parametrize(
    "who", ["it", *(pytest.param(who, marks=pytest.mark.slow) for who in ("client", "administrator"))]
)
def test_no_address_of_a_list_is_a_fault(as_: As, there: Backup, page: str, who: str) -> None:
    browser, address = as_(who), reverse(page)
    asked = [{"q": text} for text in SEARCHES]
    asked += [{name: text} for name in ("client", "application", "resource", "backup") for text in NUMBERS]
    asked += [{name: text} for name in ("after", "before") for text in CURSORS]
    asked += [{name: "\0"} for name in ("state", "sort", "group", "mode", "cause", "went_wrong", "kind", "region")]
    asked += [{name: "\0"} for name in ("rule", "code", "breaks", "show")]
    for query in asked:
        answer = browser.get(address, query)
        answer.getvalue()  # what is streamed is made only now
        assert answer.status_code in (200, 403, 404), query


@pytest.mark.parametrize("name", CURSORS)
def test_no_cursor_on_the_page_of_a_resource_is_a_fault(as_: As, there: Backup, name: str) -> None:
    for way in ("after", "before"):
        assert as_("it").get(f"/resources/{there.resource_id}/", {way: name}).status_code == 200


@pytest.mark.parametrize("text", MOMENTS)
def test_no_moment_is_a_fault(as_: As, there: Backup, text: str) -> None:
    asked = {"resource": str(there.resource_id), "went_wrong": text}
    for address in ("/requests/new/", "/requests/new/backups/"):
        shown = as_("client").get(address, asked)
        assert shown.status_code == 200
        assert "There is no backup of the year" in shown.content.decode() or "Enter a date" in shown.content.decode()
    assert as_("client").post("/requests/new/", {**asked, "suggest": "1"}).status_code == 200


@pytest.mark.parametrize("text", NUMBERS)
@pytest.mark.parametrize("field", ["backup", "resource"])
def test_no_number_in_a_form_is_a_fault(as_: As, there: Backup, field: str, text: str) -> None:
    filled = {"resource": there.resource_id, "backup": there.pk, "mode": "beside", "cause": "other", "reason": "x"}
    assert as_("client").post("/requests/new/", {**filled, field: text}).status_code in (400, 404)
    assert as_("client").get("/requests/new/summary/", {**filled, field: text}).status_code in (200, 404)


@pytest.mark.parametrize("name", LISTS)
def test_no_query_of_the_api_is_a_fault(cast: Cast, there: Backup, name: str) -> None:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {AuthToken.objects.create(user=cast.administrator)[1]}")
    positions = ["x", "1e5", "", "\0", "-1", "9" * 30, "9" * 5000, "1&o=x", "1&r=2"]
    cursors = [urlsafe_b64encode(f"p={position}".encode()).decode() for position in positions] + ["%%%", "é", "\0"]
    asked: list[dict[str, Any]] = [{"cursor": cursor} for cursor in cursors]
    asked += [{"search": text} for text in SEARCHES]
    asked += [{field: text} for field in ("client", "application", "resource", "page_size") for text in NUMBERS]
    for query in asked:
        answer = client.get(f"/api/{name}/", query)
        assert answer.status_code in (200, 400, 404), query
        if answer.status_code != 200:
            assert answer.json()["detail"], query
    for cursor in cursors[:4]:
        answer = client.get(f"/api/{name}/", {"cursor": cursor})
        assert answer.json()["detail"] == "This cursor is not one of this list's. Start again without it."


def test_searching_takes_the_first_words() -> None:
    assert search_words("  shop\0 db ") == ["shop", "db"]
    assert len(search_words("a " * 1500)) == 8
    assert search_words("x" * 1000) == ["x" * 100]


def test_whole_numbers_are_those_an_id_can_be() -> None:
    assert whole_number("7") == 7
    assert whole_number(str(2**63 - 1)) == 2**63 - 1
    assert {whole_number(text) for text in ("", "٣", "²", "-1", "+1", "1_0", str(2**63), "9" * 5000)} == {None}


def test_a_drop_down_of_clients_is_capped_and_has_the_chosen_one(as_: As, cast: Cast) -> None:
    made = Client.objects.bulk_create([Client(name=f"Zz {number:04}") for number in range(MOST_CLIENTS + 50)])
    last = Client.objects.get(name=made[-1].name)
    for page in ("resources", "requests"):
        shown = as_("it").get(reverse(page)).content.decode()
        assert shown.count(">Zz ") < MOST_CLIENTS
        assert last.name not in shown
        chosen = as_("it").get(reverse(page), {"client": last.pk}).content.decode()
        assert f'<option value="{last.pk}" selected>{last.name}</option>' in chosen
        assert f'href="?">{last.name} ' in chosen
    assert cast.mediaco.name not in as_("client").get("/requests/", {"client": cast.mediaco.pk}).content.decode()
