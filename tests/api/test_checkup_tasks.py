"""Tasks of checkups over the API: who sees them, handing them on, saying how they ended."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from checkups.models import Checkup, Task
from portal.models import User
from portal.words import company_zone
from tests.api.conftest import As, client_of
from tests.checkup_rows import make_ready, make_signed
from tests.factories import Cast, make_resource

LIST = "/api/checkup-tasks/"
NOT_THERE = {"detail": "There is nothing here that you can see."}
ONLY_IT = "Only IT sees to checkups. Ask IT to do it."
DONE = "This task is done already."
STRANGERS = ("client", "colleague", "staff", "account_manager", "media_client", "nobody")


@pytest.fixture
def ready(cast: Cast) -> Checkup:
    return make_ready(cast.it, [make_resource(cast.shop, "shop-db", kind="postgres")], failing=["shop-db"])


@pytest.fixture
def task(ready: Checkup) -> Task:
    return Task.objects.get(finding__checkup=ready)


@pytest.fixture
def address(task: Task) -> str:
    return f"{LIST}{task.pk}/"


@pytest.fixture
def tomorrow() -> str:
    return (timezone.now().astimezone(company_zone()).date() + timedelta(days=1)).isoformat()


def handing(due_on: str, **other: Any) -> dict[str, Any]:
    return {"owner": "iris-of-it", "due_on": due_on, "reason": "I am away."} | other


def ids(as_: As, query: str = "", who: str = "it") -> list[int]:
    answer = as_(who).get(f"{LIST}{query}")
    assert answer.status_code == 200, answer.json()
    return [row["id"] for row in answer.json()["results"]]


# -- who sees what --------------------------------------------------------------------------------------------------


def test_it_and_auditors_see_them(as_: As, cast: Cast, ready: Checkup, task: Task, address: str) -> None:
    for who in ("it", "second_it", "auditor", "administrator"):
        (told,) = as_(who).get(LIST).json()["results"]
        assert as_(who).get(address).json() == told
        assert (told["id"], told["finding"], told["checkup"], told["number"]) == (
            task.pk,
            task.finding_id,
            ready.pk,
            ready.number,
        )
        assert (told["name"], told["client"], told["client_name"]) == ("shop-db", cast.shopco.pk, "Shopco")
        assert (told["owner"], told["owner_username"], told["done_by"]) == ("Ivan", "ivan-of-it", None)
        refused = None if who.endswith("it") else ONLY_IT
        assert told["can"] == {"hand-on": refused, "close": refused}


def test_they_are_not_for_everybody(as_: As, address: str) -> None:
    for who in STRANGERS:
        assert ids(as_, who=who) == []
        assert as_(who).get(address).json() == NOT_THERE
    for path in (LIST, address):
        assert as_("").get(path).status_code == 401


def test_wrong_method_names_the_right_ones(as_: As, address: str) -> None:
    answer = as_("it").delete(address)
    assert (answer.status_code, answer.json()) == (405, {"detail": "DELETE is not possible here. Use GET or HEAD."})
    for move in ("hand-on", "close"):
        assert as_("it").get(f"{address}{move}/").status_code == 405
    assert as_("it").post(LIST, {}).status_code == 405


@pytest.mark.parametrize("number", [0, 2**63, 10**40])
def test_numbers_that_no_row_has(as_: As, number: int) -> None:
    assert as_("it").get(f"{LIST}{number}/").status_code == 404


@pytest.mark.parametrize("move", ["hand-on", "close"])
def test_moves_are_its(as_: As, robot: User, task: Task, address: str, tomorrow: str, move: str) -> None:
    path, body = f"{address}{move}/", handing(tomorrow) if move == "hand-on" else {"outcome": "It was mended."}
    for who in ("auditor", "administrator"):
        for sent in (body, dict.fromkeys(body, "")):
            refused = as_(who).post(path, sent)
            assert (refused.status_code, refused.json()) == (403, {"detail": ONLY_IT}), sent
    refused = client_of(robot).post(path, body)
    assert (refused.status_code, "A person has to" in refused.json()["detail"]) == (403, True)
    for who in STRANGERS:
        assert as_(who).post(path, body).status_code == 404
    assert as_("").post(path, body).status_code == 401
    task.refresh_from_db()
    assert (task.owner.username, task.done_at) == ("ivan-of-it", None)


# -- lists ----------------------------------------------------------------------------------------------------------


def test_they_are_filtered(as_: As, cast: Cast, ready: Checkup, task: Task, tomorrow: str) -> None:
    other = make_signed(
        cast.it, cast.second_it, [make_resource(cast.news, "news-db")], failing=["news-db"], on=date(2026, 5, 17)
    )
    second = Task.objects.get(finding__checkup=other)
    assert ids(as_) == [second.pk, task.pk]
    assert as_("it").post(f"{LIST}{second.pk}/hand-on/", handing(tomorrow)).status_code == 200
    assert as_("it").post(f"{LIST}{task.pk}/close/", {"outcome": "It was mended."}).status_code == 200
    for query, expected in {
        "open=true": [second.pk], "open=false": [task.pk], "owner=iris-of-it": [second.pk], "owner=ivan-of-it": [task.pk],
        "owner=clara-of-shopco": [], f"checkup={ready.pk}": [task.pk], f"checkup={other.pk}&open=false": [],
        f"resource={second.finding.resource_id}": [second.pk],
    }.items():  # fmt: skip
        assert ids(as_, f"?{query}") == expected, query
    assert as_("it").get(f"{LIST}?open=maybe").status_code == 400
    refused = as_("it").get(f"{LIST}?due=today").json()
    assert refused["detail"].startswith("There is no filter “due” here. Use: open, owner, checkup, resource")
    first = as_("it").get(f"{LIST}?page_size=1").json()
    assert [row["id"] for row in as_("it").get(first["next"]).json()["results"]] == [task.pk]


@pytest.mark.parametrize("who", ["it", "auditor"])
def test_as_many_queries_for_many_as_for_few(as_: As, cast: Cast, who: str) -> None:
    def asked(number: int, on: date) -> int:
        resources = [make_resource(cast.shop) for _ in range(number)]
        make_ready(cast.it, resources, failing=[resource.name for resource in resources], on=on)
        Task.objects.filter(finding__checkup__on=on).update(
            done_at=timezone.now(), done_by=cast.second_it, outcome="It was mended."
        )
        client = as_(who)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(LIST).status_code == 200
        return len(queries)

    assert asked(1, date(2026, 5, 17)) == asked(9, date(2026, 11, 15)) <= 4


# -- moves ----------------------------------------------------------------------------------------------------------


def test_handing_on(as_: As, cast: Cast, task: Task, address: str, tomorrow: str) -> None:
    for sent, field, sentence in (
        (handing(tomorrow, reason=""), "reason", "Say why: the reason is kept with the task."),
        (handing(tomorrow, reason=".."), "reason", "tells nobody why."),
        (handing(tomorrow, owner="clara-of-shopco"), "owner", "Choose a person of IT: nobody else can see to it."),
        (handing(tomorrow, owner="who-ever"), "owner", "Choose a person of IT: nobody else can see to it."),
        (handing("2020-01-01"), "due_on", "This day is over. Choose today or a later one."),
        (handing("soon"), "due_on", "Enter a day, such as 2026-12-01."),
        ({"owner": "iris-of-it"}, "due_on", "Name the day until which it is to be done."),
        ({"due_on": tomorrow}, "owner", "Name the person of IT who sees to it."),
        (handing(tomorrow, to="iris-of-it"), "to", "There is no field “to” here."),
    ):
        refused = as_("it").post(f"{address}hand-on/", sent)
        assert (refused.status_code, refused.json()["field"]) == (400, field), sent
        assert sentence in refused.json()["detail"]
    answer = as_("second_it").post(f"{address}hand-on/", handing(tomorrow))
    assert answer.status_code == 200
    told = answer.json()
    assert (told["owner"], told["owner_username"], told["due_on"]) == ("Iris", "iris-of-it", tomorrow)
    assert told["can"] == {"hand-on": None, "close": None}
    row = task.history.first()
    assert (row.owner, row.history_user, row.history_change_reason) == (cast.second_it, cast.second_it, "I am away.")
    assert task.finding.events.filter(text__startswith="Iris has the task now, until").exists()


def test_who_is_switched_off_gets_none(as_: As, cast: Cast, address: str, tomorrow: str) -> None:
    cast.second_it.is_active = False
    cast.second_it.save()
    assert as_("it").post(f"{address}hand-on/", handing(tomorrow)).json()["field"] == "owner"


def test_closing(as_: As, cast: Cast, task: Task, address: str, tomorrow: str) -> None:
    for sent in ({}, {"outcome": ""}, {"outcome": " "}, {"outcome": "x"}):
        refused = as_("it").post(f"{address}close/", sent)
        assert (refused.status_code, refused.json()["field"]) == (400, "outcome"), sent
        assert "Say how it ended: that is kept with the finding." in refused.json()["detail"]
    told = as_("it").post(f"{address}close/", {"outcome": "It was backed up anew."}).json()
    assert (told["outcome"], told["done_by"], told["done_at"] is not None) == ("It was backed up anew.", "Ivan", True)
    assert told["can"] == {"hand-on": DONE, "close": DONE}
    for move, sent in (("close", {"outcome": "It was mended."}), ("hand-on", handing(tomorrow))):
        refused = as_("it").post(f"{address}{move}/", sent)
        assert (refused.status_code, refused.json()) == (409, {"detail": DONE})
    finding = as_("it").get(f"/api/checkup-findings/{task.finding_id}/").json()
    assert finding["result"] == "failed", "what the checkup found stays as it is"
    names = ("id", "owner", "owner_username", "opened_at", "due_on", "advice", "done_at", "done_by", "outcome", "can")
    assert finding["task"] == {name: told[name] for name in names}


def test_after_the_seal_they_go_on(as_: As, cast: Cast, tomorrow: str) -> None:
    signed = make_signed(cast.it, cast.second_it, [make_resource(cast.shop, "shop-db")], failing=["shop-db"])
    before = signed.sha256
    path = f"{LIST}{Task.objects.get().pk}/"
    assert as_("it").post(f"{path}hand-on/", handing(tomorrow)).json()["owner"] == "Iris"
    assert as_("second_it").post(f"{path}close/", {"outcome": "It was mended."}).json()["done_by"] == "Iris"
    assert as_("it").get(f"/api/checkups/{signed.pk}/").json()["sha256"] == before
