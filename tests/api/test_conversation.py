"""The conversation and the record over the API: the same rules, the same sentences."""

from __future__ import annotations

import base64
import hashlib
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from backups.models import Backup
from restores.actions.conversing import Upload, say
from restores.attached import path_of
from restores.models import Attachment, Comment, RestoreRequest
from tests.api.conftest import As
from tests.factories import Cast

SECRET, SECRET_FILE = "Their admin clicked on it.", "blame.log"
COMPANY = ["staff", "it", "account_manager", "auditor", "administrator"]


@pytest.fixture(autouse=True)
def place(settings: Any, tmp_path: Path) -> None:
    settings.ATTACHMENTS_DIR = tmp_path / "attachments"


@pytest.fixture
def address(filed: RestoreRequest) -> str:
    return f"/api/restore-requests/{filed.pk}/"


@pytest.fixture
def said(filed: RestoreRequest, cast: Cast) -> dict[bool, Attachment]:
    """A comment with a file by the client, and an internal one by IT; the attachments by whether they are internal."""
    say(by=cast.client, request=filed, text="It is urgent.", files=[Upload("prices.csv", BytesIO(b"a;b\n"))])
    say(by=cast.it, request=filed, text=SECRET, files=[Upload(SECRET_FILE, BytesIO(b"10:04 delete\n"))], internal=True)
    return {one.internal: one for one in Attachment.objects.all()}


def file(name: str = "import.log", held: bytes = b"one line\n") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, held)


def sent(client: APIClient, address: str, **body: Any) -> Any:
    return client.post(f"{address}attachments/", body, format="multipart")


@pytest.mark.parametrize("who", ["client", "colleague", *COMPANY])
def test_internal_notes_reach_the_company_alone(as_: As, address: str, said: dict[bool, Attachment], who: str) -> None:
    client = as_(who)
    whole = client.get(address)
    answers = [whole, client.get("/api/restore-requests/"), client.get("/api/charges/")]
    assert [one["text"] for one in whole.json()["comments"]] == ["It is urgent."] + [SECRET] * (who in COMPANY)
    assert [one["name"] for one in whole.json()["attachments"]] == ["prices.csv"] + [SECRET_FILE] * (who in COMPANY)
    if who not in COMPANY:
        assert not any(text in answer.content.decode() for answer in answers for text in (SECRET, SECRET_FILE))
    for internal, one in said.items():
        answer = client.get(f"{address}attachments/{one.pk}/")
        assert answer.status_code == (200 if who in COMPANY or not internal else 404)
        answer.getvalue()
    assert client.get(f"{address}record/")["Content-Type"] == "application/pdf"


def test_a_comment_is_appended(as_: As, address: str, cast: Cast) -> None:
    answer = as_("client").post(f"{address}comments/", {"text": " Is it urgent? "})
    assert answer.status_code == 201
    (comment,) = answer.json()["comments"]
    assert (comment["text"], comment["by"], comment["internal"]) == ("Is it urgent?", str(cast.client), False)
    assert as_("it").post(f"{address}comments/", {"text": SECRET, "internal": True}).json()["comments"][1]["internal"]


@pytest.mark.parametrize(
    ("who", "body", "status", "field", "sentence"),
    [
        ("client", {"text": "x", "internal": True}, 403, None, "Only the company’s people write internal notes."),
        ("client", {"text": ""}, 400, "text", "Write what you want to say, or choose a file."),
        ("client", {}, 400, "text", "Write what you want to say, or choose a file."),
        ("client", {"text": "x" * 5001}, 400, "text", "The comment is too long: 5,000 characters at most."),
        ("client", {"text": "x", "inner": True}, 400, "inner", "There is no field “inner” here."),
        ("auditor", {"text": "x"}, 403, None, "You can read this request, but not comment on it."),
    ],
)
def test_what_is_no_comment(
    as_: As, address: str, who: str, body: dict[str, Any], status: int, field: str | None, sentence: str
) -> None:
    answer = as_(who).post(f"{address}comments/", body)
    assert (answer.status_code, answer.json().get("field")) == (status, field)
    assert answer.json()["detail"].startswith(sentence)
    assert not Comment.objects.exists()


def test_a_file_goes_in_and_comes_out(as_: As, address: str, cast: Cast) -> None:
    held = b"10:04 import\n"
    answer = sent(as_("client"), address, file=file("C:\\logs\\import.log", held), internal="false")
    assert answer.status_code == 201, answer.content
    (one,) = answer.json()["attachments"]
    assert (one["name"], one["by"], one["size"]) == ("import.log", str(cast.client), len(held))
    assert (one["content_type"], one["sha256"]) == ("text/plain", hashlib.sha256(held).hexdigest())
    out = as_("staff").get(f"{address}attachments/{one['id']}/")
    assert out.getvalue() == held
    assert out["Content-Disposition"] == 'attachment; filename="import.log"'
    assert out["X-Content-Type-Options"] == "nosniff"
    assert out["Repr-Digest"] == f"sha-256=:{base64.b64encode(hashlib.sha256(held).digest()).decode()}:"
    assert sent(as_("it"), address, file=file(), internal="true").json()["attachments"][1]["internal"]


@pytest.mark.parametrize(
    ("who", "body", "status", "sentence"),
    [
        ("client", {"files": [("a.exe", b"MZ")]}, 400, "“a.exe” is of a kind that cannot be attached."),
        ("client", {"files": [("a.png", b"<svg>")]}, 400, "“a.png” does not hold what its name says."),
        ("client", {"files": [("empty.txt", b"")]}, 400, "“empty.txt” is empty."),
        ("client", {"files": [("a.txt", b"x" * 1001)]}, 413, "“a.txt” is larger than 1.0"),
        ("client", {"files": [("a.txt", b"x" * 1_100_000)]}, 413, "That is more than 1.0"),
        ("client", {}, 400, "Send the file as the field “file” of multipart/form-data."),
        ("client", {"file": "words"}, 400, "The submitted data was not a file."),
        ("client", {"files": [()], "internal": "true"}, 403, "Only the company’s people write internal notes."),
        ("auditor", {"files": [()]}, 403, "You can read this request, but not comment on it."),
        ("client", {"files": [()] * 101}, 413, "That is too much at once."),
    ],
)
def test_what_is_no_attachment(
    as_: As, address: str, settings: Any, who: str, body: dict[str, Any], status: int, sentence: str
) -> None:
    body = dict(body)
    settings.ATTACHMENT_BYTES = 1000
    files = [file(*one) for one in body.pop("files", [])]
    answer = sent(as_(who), address, **body, **({"file": files} if files else {}))
    assert answer.status_code == status, answer.content
    assert answer.json()["detail"].replace("\xa0", " ").startswith(sentence)
    assert not Attachment.objects.exists()


def test_a_session_sends_files_too_and_no_fewer_bounds(cast: Cast, address: str, settings: Any) -> None:
    settings.ATTACHMENT_BYTES = 1000
    browser = APIClient(enforce_csrf_checks=True)
    browser.force_login(cast.client, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert sent(browser, address, file=file()).status_code == 403
    browser.get("/")
    page = browser.get(f"/requests/{address.split('/')[3]}/").content.decode()
    token = page.partition('name="csrfmiddlewaretoken" value="')[2][:64]
    browser.credentials(HTTP_X_CSRFTOKEN=token)
    assert sent(browser, address, file=file()).status_code == 201
    assert sent(browser, address, file=file("a.txt", b"x" * 1001)).status_code == 413
    assert sent(browser, address, file=file("a.txt", b"x" * 1_100_000)).status_code == 413
    assert sent(browser, address, file=[file() for _ in range(101)]).status_code == 413


def test_json_is_no_file(as_: As, address: str) -> None:
    answer = as_("client").post(f"{address}attachments/", {"file": "x"}, format="json")
    assert answer.status_code == 415
    sentence = "Send a form with the file, with the header “Content-Type: multipart/form-data”."
    assert answer.json()["detail"] == sentence


@pytest.mark.parametrize("what", ["comments/", "attachments/", "attachments/{}/", "record/"])
def test_strangers_the_signed_out_and_wrong_methods(
    as_: As, address: str, said: dict[bool, Attachment], what: str
) -> None:
    where = address + what.format(said[False].pk)
    ask = "post" if what in ("comments/", "attachments/") else "get"
    assert getattr(as_("media_client"), ask)(where).status_code == 404
    assert getattr(as_(""), ask)(where).status_code == 401
    assert getattr(as_("it"), "get" if ask == "post" else "post")(where).status_code == 405
    if "{}" in what:
        assert as_("it").head(where).status_code == 405
    assert (Comment.objects.count(), Attachment.objects.count()) == (2, 2)


def test_a_file_that_is_gone_is_told(as_: As, address: str, said: dict[bool, Attachment]) -> None:
    path_of(said[False].key).unlink()
    answer = as_("client").get(f"{address}attachments/{said[False].pk}/")
    assert answer.status_code == 409
    assert answer.json()["detail"].startswith("“prices.csv” is recorded, but its file is no longer there.")


def test_the_structured_reason_is_kept(as_: As, backup: Backup) -> None:
    said = {"since_when": "Since Monday", "wanted": "The prices", "must_not_lose": "The orders of today"}
    body = {"backup": backup.pk, "mode": "beside", "cause": "bad_data", "reason": "Gone.", **said}
    answer = as_("client").post("/api/restore-requests/", body)
    assert answer.status_code == 201
    assert {name: answer.json()[name] for name in said} == said
    assert as_("it").get("/api/restore-requests/").json()["results"][0]["wanted"] == "The prices"
    refused = as_("colleague").post("/api/restore-requests/", {**body, "since_when": "x" * 501})
    assert (refused.status_code, refused.json()["field"]) == (400, "since_when")


def test_what_one_may_say_is_told(as_: As, address: str) -> None:
    can = as_("auditor").get(address).json()["can"]
    assert can["comment"].startswith("You can read this request")
    assert as_("client").get(address).json()["can"]["attach"] is None
