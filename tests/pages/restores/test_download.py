"""The download of an export: the stored bytes, to the person who asked, while it lasts."""

from __future__ import annotations

import base64
import hashlib
import html
from datetime import datetime, timedelta
from io import BytesIO

import pytest

from backups.drivers.base import Mode
from backups.models import Backup
from restores.actions.downloads import Download
from restores.models import RestoreRequest
from restores.unpacking import export_name
from restores.views import downloading
from tests.factories import Cast, make_request
from tests.pages.restores.conftest import As, finish

CONTENT = b"a backup" * 10_000
CHECKSUM = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def export(cast: Cast, backup: Backup) -> RestoreRequest:
    request = make_request(backup, cast.client, mode=Mode.EXPORT)
    finish(request, cast)
    return request


def test_the_stored_bytes_come_as_a_file_with_their_checksum(
    as_: As, export: RestoreRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    download = Download(BytesIO(CONTENT), "shop-db-2026-11-17-0212Z.tar.zst", len(CONTENT), CHECKSUM)
    monkeypatch.setattr(downloading, "open_export", lambda *, by, request: download)
    answer = as_("client").get(f"/requests/{export.pk}/download/")
    assert b"".join(answer) == CONTENT  # type: ignore[call-overload]
    digest = base64.b64encode(bytes.fromhex(CHECKSUM)).decode()
    assert answer["Repr-Digest"] == f"sha-256=:{digest}:"
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["Content-Length"] == str(len(CONTENT))
    assert answer["Content-Disposition"] == 'attachment; filename="shop-db-2026-11-17-0212Z.tar.zst"'
    answer.close()


def test_the_page_says_how_to_get_and_unpack_it(as_: As, export: RestoreRequest) -> None:
    page = as_("client").get(f"/requests/{export.pk}/").content.decode()
    assert f"/requests/{export.pk}/download/" in page
    assert export.backup.checksum in page
    saved_as = export_name("shop-db", export.backup.taken_at, ".tar.zst")
    assert f"zstd -dc {saved_as} | tar -x" in html.unescape(page)


@pytest.mark.parametrize("person", ["colleague", "it", "auditor"])
def test_it_is_only_for_who_asked(as_: As, export: RestoreRequest, person: str) -> None:
    sentence = "An export can be downloaded only by the person who asked for it."
    answer = as_(person).get(f"/requests/{export.pk}/download/")
    assert answer.status_code == 403
    assert sentence in answer.content.decode()
    page = as_(person).get(f"/requests/{export.pk}/").content.decode()
    assert sentence in page
    assert "/download/" not in page


def test_a_stranger_does_not_learn_of_it(as_: As, export: RestoreRequest) -> None:
    assert as_("media_client").get(f"/requests/{export.pk}/download/").status_code == 404


def test_it_ends(as_: As, cast: Cast, backup: Backup, now: datetime) -> None:
    export = make_request(backup, cast.client, mode=Mode.EXPORT)
    finish(export, cast, kept_until=now - timedelta(hours=1))
    answer = as_("client").get(f"/requests/{export.pk}/download/")
    assert answer.status_code == 409
    assert "This export has expired." in answer.content.decode()


def test_other_restores_are_not_downloads(as_: As, completed: RestoreRequest) -> None:
    answer = as_("client").get(f"/requests/{completed.pk}/download/")
    assert answer.status_code == 409
    assert "This request is no export: there is nothing to download." in answer.content.decode()
