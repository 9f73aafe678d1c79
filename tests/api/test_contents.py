"""Looking into a backup over the API, and filing for a part of it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from backups.models import Backup, Resource
from restores.models import Rate, RateCard, RestoreRequest
from tests.api.conftest import client_of
from tests.app.conftest import resource as resource  # a real one
from tests.app.world import World


@pytest.fixture
def backup(resource: Resource) -> Backup:
    return resource.backups.get()


def get(client: APIClient, backup: Backup, **query: str) -> Any:
    return client.get(f"/api/backups/{backup.pk}/contents/", query)


def test_the_tree_is_walked_and_searched(world: World, backup: Backup) -> None:
    client = client_of(world.owner)
    top = get(client, backup).json()
    assert [(row["key"], row["kind"], row["below"]) for row in top["results"]] == [
        ("empty", "directory", 0), ("first.bin", "file", 0), ("link", "symlink", 0), ("sub", "directory", 1),
    ]  # fmt: skip
    assert top["after"] is None
    assert top["results"][1]["size"] == 32_000
    assert top["results"][1]["modified_at"].endswith("Z")
    below = get(client, backup, under="sub").json()["results"]
    assert [row["key"] for row in below] == ["sub/page.txt"]
    found = get(client, backup, search="page TXT").json()["results"]
    assert [row["key"] for row in found] == ["sub/page.txt"]
    assert get(client, backup, after="first.bin").json()["results"][0]["key"] == "link"


@pytest.mark.parametrize(
    ("query", "field"), [({"under": "nothing"}, "under"), ({"after": "nothing"}, "after"), ({"undr": ""}, "undr")]
)
def test_what_makes_no_sense_is_named(world: World, backup: Backup, query: dict[str, str], field: str) -> None:
    answer = get(client_of(world.owner), backup, **query)
    assert answer.status_code == 400
    assert answer.json()["field"] == field


@pytest.mark.parametrize(
    ("who", "status"),
    [("owner", 200), ("colleague", 200), ("staff", 200), ("it", 200), ("robot", 200), ("auditor", 403), ("manager", 403),
     ("administrator", 403), ("stranger", 404), ("nobody", 404)],
)  # fmt: skip
def test_only_who_may_ask_for_it_back_looks_inside(world: World, backup: Backup, who: str, status: int) -> None:
    answer = get(client_of(world.people[who]), backup)
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["detail"].startswith("What is inside a backup is shown only to")
    assert get(client_of(None), backup).status_code == 401
    assert client_of(world.owner).post(f"/api/backups/{backup.pk}/contents/", {}).status_code == 405


def filing(backup: Backup, **others: Any) -> dict[str, Any]:
    return {"backup": backup.pk, "mode": "beside", "cause": "other", "reason": "A page is lost.", **others}


def test_a_part_is_filed_and_told(world: World, backup: Backup) -> None:
    answer = client_of(world.owner).post(
        "/api/restore-requests/", filing(backup, part=["sub/page.txt", "first.bin"]), format="json"
    )
    assert answer.status_code == 201
    told = answer.json()
    assert told["plan"]["part"] == ["first.bin", "sub/page.txt"]
    assert told["plan"]["part_holds"]["bytes"] == 32_014
    name = backup.resource.name
    assert told["sentence"].replace("\N{NO-BREAK SPACE}", " ").startswith(f"Restore 2 files of {name} (32 kB) as of ")


def test_the_price_of_a_part_is_that_of_what_was_picked_and_is_accepted_as_it_was_said(
    world: World, backup: Backup
) -> None:
    card = RateCard.objects.create(
        currency="EUR", valid_from=date(2020, 1, 1), published_at=timezone.now(), published_by=world.administrator,
        reason="Yearly.",
    )  # fmt: skip
    Rate.objects.create(card=card, flat=Decimal(1), per_gib=Decimal(10))
    Backup.objects.update(source_bytes=2 * 1024**3)
    owner, part = client_of(world.owner), ["sub/page.txt"]
    asked = {"backup": backup.pk, "cause": "other"}
    whole = owner.post("/api/estimate/", asked, format="json").json()
    assert whole == owner.get("/api/estimate/", asked).json()
    quote = owner.post("/api/estimate/", {**asked, "part": part}, format="json").json()
    assert (quote["accepts"], whole["accepts"]) == ("1.00 EUR", "21.00 EUR")
    filed = owner.post("/api/restore-requests/", filing(backup, part=part, accepts=quote["accepts"]), format="json")
    assert (filed.json()["status"], filed.json()["plan"]["estimate"]) == ("submitted", quote["estimate"])
    assert RestoreRequest.objects.count() == 1
    for sent, field in (({"part": ["gone"]}, "part"), ({"cause": "none"}, "cause"), ({"backup": 0}, "backup")):
        answer = owner.post("/api/estimate/", {**asked, **sent}, format="json")
        assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert client_of(world.auditor).post("/api/estimate/", asked, format="json").status_code == 403
    assert client_of(world.stranger).post("/api/estimate/", asked, format="json").json()["field"] == "backup"


@pytest.mark.parametrize(
    ("others", "field"),
    [({"part": ["gone"]}, "part"), ({"part": []}, "part"), ({"part": ["sub"], "mode": "in_place"}, "mode"),
     ({"part": "sub"}, "part"), ({"part": [""]}, "part")],
)  # fmt: skip
def test_what_is_no_part_is_refused(world: World, backup: Backup, others: dict[str, Any], field: str) -> None:
    answer = client_of(world.owner).post("/api/restore-requests/", filing(backup, **others), format="json")
    assert answer.status_code == 400
    assert answer.json()["field"] == field
    assert not RestoreRequest.objects.exists()


def test_a_whole_restore_has_no_part(world: World, backup: Backup) -> None:
    for body in (filing(backup), filing(backup, part=None, mode="export")):
        answer = client_of(world.owner).post("/api/restore-requests/", body, format="json")
        assert answer.status_code == 201
        assert "part" not in answer.json()["plan"]
