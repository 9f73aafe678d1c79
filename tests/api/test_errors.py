"""How the API says no: always JSON, always a sentence, never anything technical."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from backups.drivers.base import DriverError
from backups.models import Backup, Resource
from restores.models import RestoreRequest
from tests.api.conftest import As, client_of
from tests.factories import Cast

ADDRESS = "/api/restore-requests/"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "The body cannot be read as JSON"),
        (b'{"a": NaN}', "The body cannot be read as JSON: NaN is not JSON."),
        (b'{"a": "\xff"}', "The body cannot be read as JSON: it is not UTF-8."),
        (b'{"a": "\\ud800"}', "The body cannot be read as JSON: it is not UTF-8."),
        (b"[" * 500_000, "The body is nested too deeply."),
        (b"[]", "Send a JSON object"),
        (b"null", "Send a JSON object"),
        (b"7", "Send a JSON object"),
    ],
)
def test_a_body_that_is_no_json_object(as_: As, body: bytes, words: str) -> None:
    answer = as_("client").post(ADDRESS, body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(words)


def test_a_body_beyond_all_measure(db: None) -> None:
    answer = APIClient().post("/api/token/", b" " * 1_000_001, content_type="application/json")
    assert answer.status_code == 413
    assert "1,000,000 bytes" in answer.json()["detail"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_another_media_type(as_: As, kind: str) -> None:
    answer = as_("client").post(ADDRESS, b"reason=x", content_type=kind)
    assert answer.status_code == 415
    assert "application/json" in answer.json()["detail"]


def test_a_missing_reason_is_named_with_the_others(as_: As) -> None:
    assert set(as_("client").post(ADDRESS, {}).json()["errors"]) == {"reason", "backup", "mode", "cause"}


def test_all_fields_at_fault_are_named_at_once(as_: As) -> None:
    answer = as_("client").post(ADDRESS, {"reason": None}).json()
    assert answer["errors"] == {
        "reason": ["reason must not be null."],
        "backup": ["backup is missing."],
        "mode": ["It is missing. Choose one of: in_place, beside, export."],
        "cause": [
            "It is missing. Choose one of: infrastructure, deleted_by_mistake, bad_change, bad_data, security,"
            " copy_wanted, other."
        ],
    }
    assert (answer["detail"], answer["field"]) == ("reason must not be null.", "reason")


@pytest.mark.parametrize("address", ["/api/nothing/", "/api/backups/x/", "/api/token", "/api/backups/1/delete/"])
@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_addresses_where_there_is_nothing(db: None, address: str, method: str) -> None:
    answer = getattr(APIClient(), method)(address)
    assert answer.status_code == 404
    assert answer.json()["detail"].startswith("There is nothing at this address.")


@pytest.mark.parametrize("number", [0, 2**63, 10**40])
def test_numbers_that_no_row_has(as_: As, number: int, backup: Backup) -> None:
    for name in ("clients", "applications", "resources", "backups", "restore-requests", "charges"):
        assert as_("it").get(f"/api/{name}/{number}/").status_code == 404
    filing = {"backup": number, "mode": "beside", "cause": "other", "reason": "x"}
    answer = as_("it").post(ADDRESS, filing)
    assert (answer.status_code, answer.json()["field"]) == (400, "backup")


def test_characters_that_cannot_be_stored(as_: As, backup: Backup) -> None:
    filing = {"backup": backup.pk, "mode": "beside", "cause": "other", "reason": "a\0b"}
    assert as_("client").post(ADDRESS, filing).status_code == 400


def test_a_fault_of_the_portal_says_a_reference_and_nothing_else(
    resource: Resource, cast: Cast, monkeypatch: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(**_: Any) -> None:
        raise DriverError("The tape is torn.", detail="password=hunter2")

    monkeypatch.setattr("backups.api.views.request_backup", broken)
    client = client_of(cast.it)
    client.raise_request_exception = False
    answer = client.post(f"/api/resources/{resource.pk}/back-up/", {"reason": "x"})
    assert answer.status_code == 500
    assert set(answer.json()) == {"detail"}
    reference = answer.json()["detail"].removesuffix(".").rpartition(" ")[2]
    assert any(reference in record.getMessage() for record in caplog.records)
    assert "hunter2" not in answer.content.decode()
    assert "tape" not in answer.content.decode()


def test_a_change_that_was_refused_changed_nothing(as_: As, filed: RestoreRequest) -> None:
    before = filed.history.count(), filed.events.count()
    as_("it").post(f"{ADDRESS}{filed.pk}/approve/", {"plan_digest": "0" * 64})
    assert (filed.history.count(), filed.events.count()) == before


def test_a_name_that_is_not_the_portals(db: None) -> None:
    """What a monitoring system says that was given another name: its people know what to ask for."""
    answer = APIClient().get(ADDRESS, HTTP_HOST="portal.elsewhere.example")
    assert (answer.status_code, "ALLOWED_HOSTS" in answer.json()["detail"]) == (400, True)
