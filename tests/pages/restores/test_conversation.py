"""The conversation on the page of a request: who reads and writes it, and that files come in and go out as files."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import escape

from restores.actions.conversing import Upload, say
from restores.attached import path_of
from restores.models import Attachment, Comment, RestoreRequest
from tests.factories import Cast
from tests.pages.restores.conftest import As
from tests.pages.test_compliance_exports import text_of

SECRET, SECRET_FILE = "Their admin <clicked> on it", "blame.log"
COMPANY = ["staff", "it", "account_manager", "auditor", "administrator"]
CLIENTS = ["client", "colleague"]
STRANGERS = ["media_client", "media_account_manager", "nobody"]
Address = Callable[..., str]


@pytest.fixture(autouse=True)
def place(settings: Any, tmp_path: Path) -> Path:
    settings.ATTACHMENTS_DIR = tmp_path / "attachments"
    return tmp_path / "attachments"


@pytest.fixture
def address(submitted: RestoreRequest) -> Address:
    return lambda name, *more: reverse(name, args=[submitted.pk, *more])


@pytest.fixture
def said(submitted: RestoreRequest, cast: Cast) -> dict[bool, Attachment]:
    """A comment with a file by the client, and an internal one by IT; the attachments by whether they are internal."""
    say(by=cast.client, request=submitted, text="It is urgent.", files=[Upload("prices.csv", BytesIO(b"a;b\n"))])
    say(
        by=cast.it,
        request=submitted,
        text=SECRET,
        files=[Upload(SECRET_FILE, BytesIO(b"10:04 delete\n"))],
        internal=True,
    )
    return {one.internal: one for one in Attachment.objects.all()}


def file(name: str = "import.log", held: bytes = b"one line\n") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, held, content_type="text/html")


def fetched(browser: Browser, address: str) -> int:
    """The status, once the file that came with it is read to its end, and so closed."""
    answer = browser.get(address)
    answer.getvalue()
    return answer.status_code


@pytest.mark.parametrize("who", [*CLIENTS, *COMPANY])
def test_internal_notes_reach_the_company_alone(
    as_: As, address: Address, said: dict[bool, Attachment], who: str
) -> None:
    browser = as_(who)
    record = browser.get(address("request_record"))
    shown = [
        browser.get(address("request")).content.decode(),
        browser.get(address("request_live"), {"seen": "something else"}).content.decode(),
    ]
    for page in shown:
        assert "It is urgent." in page
        assert "prices.csv" in page
        assert (escape(SECRET) in page) is (SECRET_FILE in page) is (who in COMPANY)
    paper = text_of(record.content)
    assert "It is urgent." in paper
    assert said[False].checksum in paper
    assert (SECRET in paper) is (SECRET_FILE in paper) is ("Internal copy" in paper) is (who in COMPANY)
    assert fetched(browser, address("request_attachment", said[False].pk)) == 200
    assert fetched(browser, address("request_attachment", said[True].pk)) == (200 if who in COMPANY else 404)


@pytest.mark.parametrize("who", STRANGERS)
@pytest.mark.usefixtures("said")
def test_a_stranger_finds_nothing_and_adds_nothing(
    as_: As, address: Address, said: dict[bool, Attachment], who: str
) -> None:
    browser = as_(who)
    assert browser.get(address("request_record")).status_code == 404
    for one in said.values():
        assert browser.get(address("request_attachment", one.pk)).status_code == 404
    assert browser.post(address("request_say"), {"text": "Let me in.", "file": file()}).status_code == 404
    assert Comment.objects.count() == Attachment.objects.count() == 2


def test_an_attachment_is_found_only_at_its_own_request(
    as_: As, said: dict[bool, Attachment], completed: RestoreRequest, backup: Any, cast: Cast
) -> None:
    from tests.factories import make_request

    other = make_request(backup, cast.colleague)
    assert as_("it").get(reverse("request_attachment", args=[other.pk, said[False].pk])).status_code == 404


@pytest.mark.parametrize("who", ["auditor", "administrator"])
def test_who_only_reads_is_told_who_comments(as_: As, address: Address, who: str) -> None:
    sentence = "You can read this request, but not comment on it."
    page = as_(who).get(address("request")).content.decode()
    assert sentence in page
    assert 'id="say"' not in page
    answer = as_(who).post(address("request_say"), {"text": "All in order."})
    assert answer.status_code == 403
    assert sentence in answer.content.decode()
    assert not Comment.objects.exists()


@pytest.mark.parametrize("name", ["request_attachment", "request_record", "request_say"])
def test_wrong_methods(as_: As, address: Address, said: dict[bool, Attachment], name: str) -> None:
    where = address(name, *([said[False].pk] if name == "request_attachment" else []))
    if name == "request_say":
        assert as_("it").get(where).status_code == 405
    else:
        assert as_("it").post(where).status_code == 405
    assert as_("it").head(where).status_code == (200 if name == "request_record" else 405)


@pytest.mark.parametrize("name", ["request_attachment", "request_record", "request_say"])
def test_signed_out(as_: As, address: Address, said: dict[bool, Attachment], name: str) -> None:
    where = address(name, *([said[False].pk] if name == "request_attachment" else []))
    assert as_("").post(where)["Location"].startswith("/sign-in/")
    assert as_("").get(where)["Location"].startswith("/sign-in/")


@pytest.mark.parametrize("who", ["client", "colleague", "staff", "it", "account_manager"])
def test_saying_something_with_files(as_: As, address: Address, cast: Cast, who: str) -> None:
    files = [file(), file("Screen <b>.log")]
    answer = as_(who).post(address("request_say"), {"text": "See <i>both</i>.", "file": files}, follow=True)
    assert answer.redirect_chain == [(f"{address('request')}#conversation", 302)]
    page = answer.content.decode()
    assert "What you said is kept with the request." in page
    assert "See &lt;i&gt;both&lt;/i&gt;." in page
    assert "Screen &lt;b&gt;.log" in page
    comment = Comment.objects.get()
    assert (comment.by, comment.internal) == (cast.people[who], False)


def test_an_internal_note_is_marked(as_: As, address: Address) -> None:
    page = as_("it").post(address("request_say"), {"text": SECRET, "internal": "on"}, follow=True).content.decode()
    assert "Your internal note is kept." in page
    assert 'class="is-internal"' in page
    assert Comment.objects.get().internal


def test_a_client_cannot_write_an_internal_note(as_: As, address: Address) -> None:
    assert 'name="internal"' not in as_("client").get(address("request")).content.decode()
    answer = as_("client").post(address("request_say"), {"text": "Just between us.", "internal": "on"})
    assert answer.status_code == 403
    page = answer.content.decode()
    assert "Only the company’s people write internal notes." in page
    assert "Just between us." in page, "what was typed is kept"
    assert not Comment.objects.exists()


@pytest.mark.parametrize(
    ("sent", "status", "sentence"),
    [
        ({"text": " "}, 400, "Write what you want to say, or choose a file."),
        ({"text": "x" * 5001}, 400, "5,000 characters at most"),
        ({"text": "Look.", "files": [("shop.html", b"<script>")]}, 400, "cannot be attached"),
        ({"text": "Look.", "files": [("shop.png", b"<script>")]}, 400, "does not hold what its name says"),
        ({"text": "Look.", "files": [("large.txt", b"x" * 1001)]}, 413, "“large.txt” is larger than 1.0"),
        ({"text": "Look.", "files": [()] * 6}, 400, "at most 5 files at once"),
        ({"text": "Look.", "files": [()] * 101}, 413, "too much at once"),
        ({"text": "Look.\0"}, 400, "Null characters are not allowed"),
    ],
)
def test_what_cannot_be_kept_is_told_beside_what_was_typed(
    as_: As, address: Address, settings: Any, place: Path, sent: dict[str, Any], status: int, sentence: str
) -> None:
    settings.ATTACHMENT_BYTES = 1000
    files = [file(*one) for one in sent.get("files", [])]
    answer = as_("client").post(address("request_say"), {"text": sent["text"], "file": files})
    assert answer.status_code == status
    page = answer.content.decode()
    assert sentence in page
    assert ("Look." in page) is (sent["text"].startswith("Look.") and "too much" not in sentence)
    assert not Comment.objects.exists()
    assert not Attachment.objects.exists()
    assert not [path for path in place.rglob("*") if path.is_file()]


def test_more_than_a_form_may_bring_is_refused_before_it_is_read(
    as_: As, address: Address, settings: Any, tmp_path: Path
) -> None:
    settings.ATTACHMENT_BYTES, settings.FILE_UPLOAD_TEMP_DIR = 1000, str(tmp_path / "uploads")  # which does not exist
    answer = as_("client").post(address("request_say"), {"text": "Look.", "file": file("film.txt", b"x" * 2_000_000)})
    assert answer.status_code == 413
    assert "That is more than 1.0" in answer.content.decode()


def test_the_form_needs_its_token_all_the_same(cast: Cast, address: Address) -> None:
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(cast.client, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert browser.post(address("request_say"), {"text": "Forged."}).status_code == 403
    assert not Comment.objects.exists()
    token = browser.get(address("request")).content.decode().partition('name="csrfmiddlewaretoken" value="')[2][:64]
    answer = browser.post(address("request_say"), {"text": "Meant.", "csrfmiddlewaretoken": token, "file": file()})
    assert answer.status_code == 302
    assert Attachment.objects.count() == 1


def test_a_file_is_saved_never_shown(as_: As, address: Address, said: dict[bool, Attachment]) -> None:
    answer = as_("colleague").get(address("request_attachment", said[False].pk))
    assert answer.getvalue() == b"a;b\n"
    assert answer["Content-Disposition"] == 'attachment; filename="prices.csv"'
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["Repr-Digest"].startswith("sha-256=:")


def test_a_file_that_is_gone_is_told_on_the_page(as_: As, address: Address, said: dict[bool, Attachment]) -> None:
    path_of(said[False].key).unlink()
    answer = as_("client").get(address("request_attachment", said[False].pk))
    assert answer.status_code == 409
    assert "its file is no longer there. Tell IT, or attach it again." in answer.content.decode()


@pytest.fixture
def counted(as_: As, address: Address) -> Callable[[str, str], int]:
    def count(who: str, name: str) -> int:
        browser = as_(who)
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(address(name)).status_code == 200
        return len(queries)

    return count


@pytest.mark.parametrize("name", ["request", "request_record"])
@pytest.mark.parametrize("who", ["client", "it"])
@pytest.mark.usefixtures("said")
def test_a_long_conversation_costs_no_more_queries(
    counted: Callable[[str, str], int], submitted: RestoreRequest, cast: Cast, who: str, name: str
) -> None:
    few = counted(who, name)
    for by in (cast.client, cast.staff, cast.it):
        for number in range(3):
            say(by=by, request=submitted, text=f"Once more, {number}", files=[Upload("a.txt", BytesIO(b"a"))])
    counted(who, name)  # what they were told of is read now, which is one write
    assert counted(who, name) == few <= 40
