"""The same six questions for every endpoint: owner, colleague, stranger, read-only, wrong method, signed out."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from backups.models import Backup, Finding, Hold, Resource, RetentionRun
from portal.models import User
from restores.models import Charge, Incident, RestoreRequest
from tests.api.conftest import As, client_of
from tests.factories import Cast

LISTS = ("clients", "applications", "resources", "backups", "holds", "restore-requests", "charges", "incidents")
COMPANYS = ("findings", "retention-runs")


@pytest.fixture
def things(
    cast: Cast,
    resource: Resource,
    backup: Backup,
    completed: RestoreRequest,
    charge: Charge,
    hold: Hold,
    finding: Finding,
    stopped: RetentionRun,
    incident: Incident,
) -> dict[str, int]:
    return {
        "clients": cast.shopco.pk,
        "applications": cast.shop.pk,
        "resources": resource.pk,
        "backups": backup.pk,
        "restore-requests": completed.pk,
        "charges": charge.pk,
        "incidents": incident.pk,
        "holds": hold.pk,
        "findings": finding.pk,
        "retention-runs": stopped.pk,
    }


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("who", ["client", "colleague", "account_manager", "auditor", "administrator"])
def test_those_of_the_client_and_the_company_see_it(as_: As, things: dict[str, int], name: str, who: str) -> None:
    client = as_(who)
    assert things[name] in [row["id"] for row in client.get(f"/api/{name}/").json()["results"]]
    assert client.get(f"/api/{name}/{things[name]}/").json()["id"] == things[name]


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("who", ["media_client", "media_account_manager", "nobody"])
def test_a_stranger_finds_nothing(as_: As, things: dict[str, int], name: str, who: str) -> None:
    client = as_(who)
    assert things[name] not in [row["id"] for row in client.get(f"/api/{name}/").json()["results"]]
    answer = client.get(f"/api/{name}/{things[name]}/")
    assert answer.status_code == 404
    assert answer.json() == {"detail": "There is nothing here that you can see."}


@pytest.mark.parametrize("who", ["staff", "it"])
def test_charges_are_not_for_everybody(as_: As, things: dict[str, int], who: str) -> None:
    assert as_(who).get("/api/charges/").json()["results"] == []
    assert as_(who).get(f"/api/charges/{things['charges']}/").status_code == 404


@pytest.mark.parametrize("name", COMPANYS)
def test_the_companys_compliance_is_not_for_everybody(as_: As, things: dict[str, int], name: str) -> None:
    for who in ("it", "auditor", "administrator"):
        client = as_(who)
        assert [row["id"] for row in client.get(f"/api/{name}/").json()["results"]] == [things[name]]
        assert client.get(f"/api/{name}/{things[name]}/").json()["id"] == things[name]
    for who in ("client", "colleague", "staff", "account_manager", "media_client", "nobody"):
        client = as_(who)
        assert client.get(f"/api/{name}/").json()["results"] == []
        assert client.get(f"/api/{name}/{things[name]}/").status_code == 404


def test_what_a_removal_would_do_is_told_to_it(as_: As, things: dict[str, int]) -> None:
    address = f"/api/resources/{things['resources']}/removal/"
    assert as_("it").get(address).status_code == 200
    for who in ("client", "staff", "account_manager", "auditor", "administrator"):
        answer = as_(who).get(address)
        assert (answer.status_code, answer.json()["detail"]) == (403, "Only IT removes resources. Ask IT to do it.")
    assert as_("media_client").get(address).status_code == 404
    assert as_("").get(address).status_code == 401
    assert as_("it").post(address, {}).status_code == 405


MOVES = [
    ("resources", "back-up", {"reason": "before a release"}),
    ("resources", "remove", {"digest": "0" * 64, "typed_name": "shop-db", "reason": "because"}),
    ("resources", "bring-back", {"reason": "because"}),
    ("backups", "hold", {"until": "2999-01-01", "reason": "because"}),
    ("holds", "release", {"reason": "because"}),
    *(("restore-requests", move, {"plan_digest": "0" * 64}) for move in ("approve", "retry")),
    *(("restore-requests", move, {"reason": "because"}) for move in ("reject", "cancel", "undo")),
    *(("charges", move, {"reason": "because"}) for move in ("confirm", "waive")),
]


@pytest.mark.parametrize(("name", "move", "body"), MOVES)
def test_moves_are_refused_to_readers_and_hidden_from_strangers(
    as_: As, things: dict[str, int], name: str, move: str, body: dict[str, Any]
) -> None:
    address = f"/api/{name}/{things[name]}/{move}/"
    assert as_("media_client").post(address, body).status_code == 404
    refused = as_("auditor").post(address, body)
    assert refused.status_code == 403
    assert refused.json()["detail"].endswith(".")
    assert as_("").post(address, body).status_code == 401
    assert as_("it").get(address).status_code == 405


def test_deciding_about_a_run_is_for_it(as_: As, robot: User, things: dict[str, int]) -> None:
    address, sent = f"/api/retention-runs/{things['retention-runs']}/decide/", {"carry_on": True, "reason": "because"}
    for who in ("client", "account_manager", "media_client"):
        assert as_(who).post(address, sent).status_code == 404
    for who in ("auditor", "administrator"):
        refused = as_(who).post(address, sent)
        assert (refused.status_code, refused.json()["detail"]) == (403, "Only IT decides about stopped runs.")
    assert client_of(robot).post(address, sent).status_code == 403
    assert as_("").post(address, sent).status_code == 401
    assert as_("it").get(address).status_code == 405
    assert RetentionRun.objects.get().status == "stopped"


@pytest.mark.parametrize("name", [*LISTS, *COMPANYS, "me"])
def test_signed_out_is_told_how_to_sign_in(as_: As, cast: Cast, name: str) -> None:
    answer = as_("").get(f"/api/{name}/")
    assert answer.status_code == 401
    assert "POST /api/token/" in answer.json()["detail"]
    assert answer["WWW-Authenticate"] == "Token"


@pytest.mark.parametrize("name", [*LISTS, *COMPANYS])
def test_wrong_method_names_the_right_ones(as_: As, things: dict[str, int], name: str) -> None:
    answer = as_("it").delete(f"/api/{name}/{things[name]}/")
    assert answer.status_code == 405
    assert answer.json() == {"detail": "DELETE is not possible here. Use GET or HEAD."}
    assert as_("it").put(f"/api/{name}/", {}).status_code == 405


def test_auditors_register_and_file_nothing(as_: As, backup: Backup, cast: Cast) -> None:
    filing = {"backup": backup.pk, "mode": "beside", "cause": "other", "reason": "curious"}
    answer = as_("auditor").post("/api/restore-requests/", filing)
    assert answer.status_code == 403
    assert answer.json()["detail"].startswith("You can look at this resource")
    body = {"application": cast.shop.pk, "name": "x", "kind": "files", "environment": "staging"}
    answer = as_("auditor").post("/api/resources/", {**body, "home_region": "eu-central-1", "settings": {}})
    assert answer.status_code == 403
    assert answer.json() == {"detail": "Only IT registers resources. Ask IT to do it."}


def test_the_download_is_for_whoever_filed_it(as_: As, things: dict[str, int]) -> None:
    address = f"/api/restore-requests/{things['restore-requests']}/download/"
    assert as_("media_client").get(address).status_code == 404
    assert as_("colleague").get(address).status_code == 403
    refused = as_("client").get(address, HTTP_ACCEPT="application/octet-stream")
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        "This request is no export: there is nothing to download.",
    )


def test_a_session_of_the_pages_works_too_and_needs_its_csrf_token(cast: Cast) -> None:
    browser = APIClient(enforce_csrf_checks=True)
    browser.force_login(cast.client)
    assert browser.get("/api/me/").json()["username"] == cast.client.username
    answer = browser.post("/api/restore-requests/", {})
    assert answer.status_code == 403
    assert "CSRF" in answer.json()["detail"]
