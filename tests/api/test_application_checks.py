"""How restored copies are asked, over the API: reading it, saying it, no longer asking, and trying it at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from backups.models import Backup, Resource
from checkups.models import ApplicationCheck, Trial
from portal.models import User
from tests.api.conftest import As, client_of
from tests.factories import Cast, make_backup, make_resource

NOT_THERE = {"detail": "There is nothing here that you can see."}
ONLY_IT = "Only IT says how a restored copy is asked. Ask IT to do it."
ALSO_AUDITORS = "How a restored copy is asked is told to IT and auditors."
THEIRS = ("client", "colleague", "staff", "account_manager")
STRANGERS = ("media_client", "media_account_manager", "nobody")
SQL = "SELECT count(*) FROM orders"


@pytest.fixture
def resource(cast: Cast) -> Resource:
    return make_resource(cast.shop, "shop-db", kind="postgres")


@pytest.fixture
def backup(resource: Resource) -> Backup:
    return make_backup(resource, timezone.now() - timedelta(days=1))


@pytest.fixture
def address(resource: Resource) -> str:
    return f"/api/resources/{resource.pk}/application-check/"


def saying(**other: Any) -> dict[str, Any]:
    return {"way": "sql", "text": SQL, "seconds": 20, "reason": "The shop."} | other


# -- who may --------------------------------------------------------------------------------------------------------


def test_reading_is_for_it_and_auditors(as_: As, robot: User, backup: Backup, address: str) -> None:
    nothing = {"way": None, "text": None, "seconds": None}
    taken_away = "A restored copy of shop-db is not asked anything: there is no check to take away."
    assert as_("it").get(address).json() == nothing | {"can": {"put": None, "delete": taken_away, "try_now": None}}
    assert as_("it").put(address, saying()).status_code == 200
    asked = {"way": "sql", "text": SQL, "seconds": 20}
    for who in ("it", "second_it"):
        assert as_(who).get(address).json() == asked | {"can": {"put": None, "delete": None, "try_now": None}}
    for who in ("auditor", "administrator"):
        assert as_(who).get(address).json() == asked | {"can": dict.fromkeys(("put", "delete", "try_now"), ONLY_IT)}
    told = client_of(robot).get(address).json()
    assert told["text"] == SQL
    assert all("A person has to" in sentence for sentence in told["can"].values())
    for who in THEIRS:
        answer = as_(who).get(address)
        assert (answer.status_code, answer.json()) == (403, {"detail": ALSO_AUDITORS})
    for who in STRANGERS:
        assert as_(who).get(address).json() == NOT_THERE
    assert as_("").get(address).status_code == 401


def test_saying_and_taking_away_are_its(as_: As, robot: User, resource: Resource, address: str) -> None:
    ApplicationCheck.objects.create(resource=resource, way="sql", text="SELECT 1 FROM orders")
    for who in (*THEIRS, "auditor", "administrator"):
        for answer in (as_(who).put(address, {}), as_(who).delete(address, {"reason": "The shop moved."})):
            assert (answer.status_code, answer.json()) == (403, {"detail": ONLY_IT}), who
    for answer in (client_of(robot).put(address, saying()), client_of(robot).delete(address, {"reason": "It moved."})):
        assert (answer.status_code, "A person has to" in answer.json()["detail"]) == (403, True)
    for who in STRANGERS:
        assert as_(who).put(address, saying()).json() == NOT_THERE
        assert as_(who).delete(address, {"reason": "The shop moved."}).json() == NOT_THERE
    assert as_("").put(address, saying()).status_code == 401
    assert as_("").delete(address, {"reason": "The shop moved."}).status_code == 401
    assert ApplicationCheck.objects.get().text == "SELECT 1 FROM orders"


def test_wrong_method_names_the_right_ones(as_: As, address: str) -> None:
    answer = as_("it").post(address, saying())
    sentence = "POST is not possible here. Use GET or PUT or DELETE or HEAD."
    assert (answer.status_code, answer.json()) == (405, {"detail": sentence})


@pytest.mark.parametrize("number", [0, 2**63, 10**40])
def test_numbers_that_no_resource_has(as_: As, number: int) -> None:
    path = f"/api/resources/{number}/application-check/"
    assert as_("it").get(path).json() == NOT_THERE
    assert as_("it").put(path, saying()).json() == NOT_THERE


# -- saying how -----------------------------------------------------------------------------------------------------


def test_saying_how_and_taking_it_away(as_: As, cast: Cast, resource: Resource, address: str) -> None:
    told = as_("it").put(address, saying(text=f"  {SQL}\n")).json()
    assert (told["text"], told["trial"], told["not_tried"]) == (SQL, None, "")
    left_out = {name: value for name, value in saying(text="SELECT 1 FROM orders").items() if name != "seconds"}
    assert as_("second_it").put(address, left_out).json()["seconds"] == 30
    assert ApplicationCheck.objects.get(resource=resource).text == "SELECT 1 FROM orders"
    refused = as_("it").delete(address, {})
    assert (refused.status_code, refused.json()) == (
        400,
        {"detail": "Say why: the reason is kept with the check.", "field": "reason"},
    )
    gone = as_("it").delete(address, {"reason": "The shop moved."})
    assert (gone.status_code, gone.json()["way"], gone.json()["text"]) == (200, None, None)
    assert not ApplicationCheck.objects.exists()
    again = as_("it").delete(address, {"reason": "The shop moved."})
    assert (again.status_code, again.json()["detail"]) == (409, gone.json()["can"]["delete"])
    assert not Trial.objects.exists()
    rows = ApplicationCheck.history.order_by("history_id")
    assert [(row.history_type, row.history_user, row.history_change_reason) for row in rows] == [
        ("+", cast.it, "The shop."),
        ("~", cast.second_it, "The shop."),
        ("-", cast.it, "The shop moved."),
    ]


def test_what_is_asked_already_is_recorded_once(as_: As, address: str) -> None:
    for _ in range(2):
        assert as_("it").put(address, saying()).status_code == 200
    assert ApplicationCheck.history.count() == 1


@pytest.mark.parametrize(
    ("other", "field", "sentence"),
    [
        ({"way": "telepathy"}, "way", "“telepathy” is not possible here. Choose one of: sql, http, command."),
        ({"text": " "}, "text", "Say what is asked"),
        ({"text": "x" * 4001}, "text", "Say what is asked, in 4,000 characters at most."),
        ({"seconds": 0}, "seconds", "Choose from 1 to 3,600 seconds."),
        ({"seconds": 10**30}, "seconds", "Choose from 1 to 3,600 seconds."),
        ({"reason": ""}, "reason", "Say why: the reason is kept with the check."),
        ({"try_now": "perhaps"}, "try_now", ""),
        ({"way": "http", "text": "http://elsewhere.internal/"}, "text", "Checks may not be sent to elsewhere.internal:80."),
        ({"way": "command", "text": "../sh"}, "text", "No programs can be run"),
        ({"query": SQL}, "query", "There is no field “query” here."),
    ],
)  # fmt: skip
def test_what_cannot_be_asked(as_: As, address: str, other: dict[str, Any], field: str, sentence: str) -> None:
    refused = as_("it").put(address, saying(**other))
    assert (refused.status_code, refused.json()["field"]) == (400, field)
    assert sentence in refused.json()["detail"]
    assert not ApplicationCheck.objects.exists()


# -- trying it ------------------------------------------------------------------------------------------------------


def test_it_is_tried_at_once(as_: As, resource: Resource, backup: Backup, address: str) -> None:
    now = timezone.now()
    make_backup(resource, now - timedelta(days=2))
    make_backup(resource, now - timedelta(hours=1), damaged_at=now, damage="Its checksum does not hold.")
    make_backup(resource, now - timedelta(hours=2), regions=())
    told = as_("it").put(address, saying(try_now=True)).json()
    assert told["not_tried"] == ""
    trial = told["trial"]
    assert (trial["backup"], trial["region"], trial["status"]) == (backup.pk, "eu-central-1", "queued")
    assert (trial["wanted"], trial["reason"], trial["asked_by"]) == ("application answered", "The shop.", "Ivan")
    assert as_("it").get(f"/api/trials/{trial['id']}/").json() == trial


def test_where_it_cannot_be_tried_it_is_kept_all_the_same(as_: As, resource: Resource, address: str) -> None:
    none_yet = "There is no good backup of shop-db yet on which it could be tried."
    assert as_("it").get(address).json()["can"]["try_now"] == none_yet
    told = as_("it").put(address, saying(try_now=True)).json()
    assert (told["text"], told["trial"], told["not_tried"]) == (SQL, None, none_yet)
    make_backup(resource, timezone.now() - timedelta(days=1))
    assert as_("it").put(address, saying(try_now=True)).json()["trial"]["status"] == "queued"
    told = as_("second_it").put(address, saying(text="SELECT 1 FROM orders", try_now=True)).json()
    under_way = "A backup of shop-db is being tested just now. Wait until that is done."
    assert (told["text"], told["trial"], told["not_tried"]) == ("SELECT 1 FROM orders", None, under_way)
    assert told["can"]["try_now"] == under_way
    assert ApplicationCheck.objects.get().text == "SELECT 1 FROM orders"
    assert Trial.objects.count() == 1


def test_a_backup_of_which_only_the_other_copy_is_left_is_tried_there(
    as_: As, resource: Resource, address: str
) -> None:
    make_backup(resource, timezone.now() - timedelta(days=1), regions=("eu-west-1",))
    assert as_("it").put(address, saying(try_now=True)).json()["trial"]["region"] == "eu-west-1"
