"""Resources and backups over the API."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from backups.models import Backup, BackupStatus, CopyState, Resource
from backups.permissions import check_can_back_up
from portal.rules import refusal
from tests.api.conftest import As
from tests.factories import Cast, make_backup, make_failed_backup, make_removed, make_resource


@pytest.fixture
def tree() -> Iterator[Path]:
    path = Path(settings.FILES_ROOTS[0]) / "api-tree"
    path.mkdir()
    (path / "page.txt").write_text("hello")
    yield path
    shutil.rmtree(path)


@pytest.fixture
def body(cast: Cast, tree: Path) -> dict[str, Any]:
    return {
        "application": cast.shop.pk,
        "name": "shop-pages",
        "kind": "files",
        "environment": "production",
        "home_region": "eu-central-1",
        "settings": {"path": str(tree)},
    }


def test_a_resource_tells_its_slots_and_its_last_good_backup(as_: As, backup: Backup) -> None:
    (row,) = as_("client").get("/api/resources/").json()["results"]
    assert row["slots"].startswith("1 of 7 daily, 1 of 6 monthly, ")
    assert row["last_good_at"] is not None
    assert row["client"]["name"] == "Shopco"
    assert as_("client").get(f"/api/resources/{row['id']}/").json() == row


def test_where_it_is_and_its_settings_are_for_technical_people(as_: As, resource: Resource) -> None:
    address = f"/api/resources/{resource.pk}/"
    for who, shown in {"client": False, "staff": False, "it": True, "auditor": True, "administrator": True}.items():
        row = as_(who).get(address).json()
        assert (row["locator"], row["settings"]) == ((resource.locator, resource.settings) if shown else (None, None))


def test_filters(as_: As, cast: Cast, resource: Resource, staging: Resource) -> None:
    other = make_resource(cast.news, "news-db", kind="postgres")
    gone = make_removed(cast.shop, "old")

    def found(query: str) -> set[str]:
        answer = as_("it").get(f"/api/resources/?{query}")
        assert answer.status_code == 200, answer.json()
        return {row["name"] for row in answer.json()["results"]}

    assert found("") == {"shop-db", "shop-files", "news-db"}
    assert found(f"client={cast.mediaco.pk}") == {other.name}
    assert found(f"application={cast.shop.pk}&environment=staging") == {staging.name}
    assert found("kind=postgres") == {other.name}
    assert found("state=removed") == {gone.name}
    assert found("region=eu-west-1") == set()
    assert found("search=shopco+db") == {resource.name}
    assert found("client=999999999999999999999999") == set()


@pytest.mark.parametrize("query", ["kind=tape", "state=gone", "client=x", "clientt=1", "page_size=0", "page_size=x"])
def test_a_filter_that_makes_no_sense_is_refused(as_: As, query: str) -> None:
    answer = as_("it").get(f"/api/resources/?{query}")
    assert answer.status_code == 400
    assert answer.json()["field"] == query.partition("=")[0]


def test_a_wrong_cursor_is_said_to_be_wrong(as_: As) -> None:
    answer = as_("it").get("/api/resources/?cursor=nonsense")
    assert (answer.status_code, answer.json()["detail"].split(".")[0]) == (404, "This cursor is not one of this list's")


def test_pages_lead_through_all_of_it_newest_first(as_: As, cast: Cast) -> None:
    made = [make_resource(cast.shop).pk for _ in range(5)]
    client, address, seen = as_("it"), "/api/resources/?page_size=2", []
    while address:
        page = client.get(address).json()
        assert len(page["results"]) <= 2
        seen += [row["id"] for row in page["results"]]
        address = page["next"]
    assert seen == made[::-1]


def test_it_registers_by_id_or_by_names(as_: As, body: dict[str, Any], cast: Cast, tree: Path) -> None:
    answer = as_("it").post("/api/resources/", body)
    assert answer.status_code == 201, answer.json()
    made = Resource.objects.get(pk=answer.json()["id"])
    assert (made.other_region, made.created_by) == ("eu-west-1", cast.it)
    assert made.backups.get().status == BackupStatus.QUEUED
    made.backups.all().delete()
    made.delete()
    del body["application"]
    body |= {"client": "Shopco", "application_name": "Shop"}
    assert as_("it").post("/api/resources/", body).status_code == 201
    again = as_("it").post("/api/resources/", {**body, "name": "again"})
    assert again.status_code == 400
    assert again.json()["field"] == "path"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "tape"}, "kind"),
        ({"environment": "prod"}, "environment"),
        ({"home_region": "mars"}, "home_region"),
        ({"other_region": "eu-central-1"}, "other_region"),
        ({"name": "Shop DB"}, "name"),
        ({"name": ""}, "name"),
        ({"settings": {}}, "path"),
        ({"settings": {"path": "/etc"}}, "path"),
        ({"settings": {"path": "/nowhere", "colour": "red"}}, "colour"),
        ({"settings": "x"}, "settings"),
        ({"settings": {"path": None}}, "settings.path"),
        ({"application": 999_999}, "application"),
        ({"application": None, "client": "Shopco", "application_name": "Nothing"}, "application"),
        ({"nickname": "x"}, "nickname"),
    ],
)
def test_what_cannot_be_registered_is_refused_at_its_field(
    as_: As, body: dict[str, Any], change: dict[str, Any], field: str
) -> None:
    wrong = {name: value for name, value in {**body, **change}.items() if value is not None}
    answer = as_("it").post("/api/resources/", wrong)
    assert answer.status_code == 400
    assert answer.json()["field"] == field
    assert answer.json()["detail"].endswith(".")
    assert not Resource.objects.exists()


def test_a_region_that_is_not_there_is_refused(as_: As, body: dict[str, Any]) -> None:
    mark = Path(settings.STORE_REGIONS["eu-west-1"]) / ".region"
    away = mark.rename(mark.with_name(".away"))
    answer = as_("it").post("/api/resources/", body)
    away.rename(mark)
    assert (answer.status_code, answer.json()["field"]) == (400, "other_region")
    assert "its disk is not mounted there, or it was never prepared" in answer.json()["detail"]
    assert not Resource.objects.exists()


def test_another_clients_application_is_not_there(as_: As, body: dict[str, Any], cast: Cast) -> None:
    answer = as_("client").post("/api/resources/", {**body, "application": cast.news.pk})
    assert (answer.status_code, answer.json()["field"]) == (400, "application")


def test_back_up_now(as_: As, resource: Resource, cast: Cast) -> None:
    address = f"/api/resources/{resource.pk}/back-up/"
    assert as_("it").post(address).json()["field"] == "reason"
    answer = as_("staff").post(address, {"reason": "before a release"})
    assert answer.status_code == 202
    queued = answer.json()
    assert (queued["status"], queued["origin"], queued["requested_by"]) == ("queued", "requested", str(cast.staff))
    again = as_("it").post(address, {"reason": "again"})
    assert (again.status_code, again.json()["detail"]) == (409, refusal(check_can_back_up, cast.it, resource))
    refused = as_("client").post(address, {"reason": "mine"})
    assert (refused.status_code, refused.json()["detail"]) == (403, refusal(check_can_back_up, cast.client, resource))


def test_a_removed_resource_is_still_found_and_not_backed_up(as_: As, cast: Cast) -> None:
    resource = make_removed(cast.shop, "shop-db")
    assert as_("it").get(f"/api/resources/{resource.pk}/").json()["state"] == "removed"
    answer = as_("it").post(f"/api/resources/{resource.pk}/back-up/", {"reason": "late"})
    assert (answer.status_code, answer.json()["detail"]) == (
        409,
        "shop-db was removed; there is nothing left to back up.",
    )


def test_a_backup_tells_its_copies_and_its_proof(as_: As, backup: Backup, staging: Resource) -> None:
    make_backup(staging, timezone.now())
    (row,) = as_("client").get(f"/api/backups/?resource={backup.resource_id}").json()["results"]
    assert (row["good"], row["proof"], row["checksum"]) == (True, "present", backup.checksum)
    assert [(copy["region"], copy["state"]) for copy in row["copies"]] == [("eu-central-1", "present")]
    assert row["summary"] == {"files": 1203, "directories": 88}
    assert as_("client").get(f"/api/backups/{backup.pk}/").json() == row


def test_a_backup_without_a_copy_left_is_good_no_more(as_: As, resource: Resource) -> None:
    now = timezone.now()
    deleted, elsewhere = make_backup(resource, now), make_backup(resource, now, regions=("eu-central-1", "eu-west-1"))
    for copy in (deleted.copies.get(), elsewhere.copies.get(region="eu-central-1")):
        copy.state, copy.deleted_at = CopyState.DELETED, now
        copy.save()
    rows = {row["id"]: row for row in as_("client").get("/api/backups/").json()["results"]}
    assert (rows[deleted.pk]["good"], rows[deleted.pk]["proof"]) == (False, None)
    assert rows[elsewhere.pk]["good"] is True


def test_technical_details_of_a_failure_are_for_it(as_: As, resource: Resource) -> None:
    bad = make_failed_backup(resource, timezone.now() - timedelta(hours=1))
    for who, detail in {"client": None, "it": "connection refused"}.items():
        (row,) = as_(who).get("/api/backups/?status=failed").json()["results"]
        assert (row["id"], row["error"], row["error_detail"]) == (bad.pk, "The database does not answer.", detail)
        assert (row["good"], row["proof"], row["copies"]) == (False, None, [])
