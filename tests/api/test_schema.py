"""The schema: valid, complete, and served with a page to read it."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.urls import get_resolver
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from restores.workflow import Status


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return made


def test_it_is_valid_without_a_warning() -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=StringIO())


def test_every_address_is_in_it(schema: dict[str, Any]) -> None:
    resolver = next(entry for entry in get_resolver().url_patterns if str(entry.pattern) == "api/")
    addresses = {f"/api/{entry.pattern}" for entry in resolver.url_patterns}  # type: ignore[union-attr]
    known = {re.sub(r"<int:(\w+)>", r"{\1}", address).replace("{pk}", "{id}") for address in addresses}
    assert known - set(schema["paths"]) == {"/api/", "/api/schema/", "/api/docs/"}


def test_status_names_are_those_of_the_workflow(schema: dict[str, Any]) -> None:
    assert schema["components"]["schemas"]["RestoreRequestStatusEnum"]["enum"] == [status.value for status in Status]


def test_every_operation_says_what_it_does_and_how_to_sign_in(schema: dict[str, Any]) -> None:
    for address, operations in schema["paths"].items():
        for method, operation in operations.items():
            assert operation.get("summary") or operation.get("description"), (method, address)
            assert address == "/api/token/" or {"token": []} in operation["security"], (method, address)


def test_what_is_taken_away_says_why_and_what_is_left(schema: dict[str, Any]) -> None:
    taken = {path: methods["delete"] for path, methods in schema["paths"].items() if "delete" in methods}
    assert set(taken) == {"/api/resources/{id}/application-check/"}
    for operation in taken.values():
        sent = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        assert "reason" in schema["components"]["schemas"][sent.rpartition("/")[2]]["properties"]
        assert "content" in operation["responses"]["200"]


def test_it_is_served_to_all(client: Any) -> None:
    answer = client.get("/api/schema/")
    assert answer.status_code == 200
    assert b"openapi: 3" in answer.content


def test_its_page_takes_nothing_from_elsewhere(client: APIClient) -> None:
    answer = client.get("/api/docs/")
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "https://" not in page
    assert "<script>" not in page
    policy = answer["Content-Security-Policy"]
    assert "style-src 'self' 'unsafe-inline'" in policy
    assert "script-src 'self'" in [part.strip() for part in policy.split(";")]
    assert "'unsafe-inline'" not in client.get("/api/")["Content-Security-Policy"]
    script = client.get("/api/docs/?script=")
    assert script["Content-Type"].startswith("application/javascript")
