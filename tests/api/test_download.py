"""A finished export over the API, from a real backup."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest
from rest_framework.test import APIClient

from backups.drivers.base import Mode
from restores.models import RestoreRequest
from tests.api.conftest import client_of
from tests.app.world import World, make_resource, restored


@pytest.fixture
def export(world: World, tree: Path) -> RestoreRequest:
    return restored(world, make_resource(world, tree).backups.get(), Mode.EXPORT)


@pytest.fixture
def owner(world: World) -> APIClient:
    return client_of(world.owner)


def test_the_bytes_are_those_of_the_backup(export: RestoreRequest, owner: APIClient) -> None:
    answer = owner.get(f"/api/restore-requests/{export.pk}/download/", HTTP_ACCEPT="application/octet-stream")
    assert answer.status_code == 200
    body = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    digest = hashlib.sha256(body)
    assert digest.hexdigest() == export.backup.checksum
    assert answer["Repr-Digest"] == f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
    assert answer["Cache-Control"] == "private, no-store"
    assert int(answer["Content-Length"]) == len(body)
    assert export.resource.name in answer["Content-Disposition"]
    assert export.events.last().text == "owner downloaded the export"  # type: ignore[union-attr]


def test_asking_for_the_headers_alone_downloads_nothing(export: RestoreRequest, owner: APIClient) -> None:
    assert owner.head(f"/api/restore-requests/{export.pk}/download/").status_code == 405
    assert "downloaded" not in export.events.last().text  # type: ignore[union-attr]


def test_it_is_for_nobody_else(export: RestoreRequest, world: World) -> None:
    address = f"/api/restore-requests/{export.pk}/download/"
    assert client_of(world.stranger).get(address).status_code == 404
    for who in ("colleague", "it", "auditor"):
        assert client_of(world.people[who]).get(address).status_code == 403
