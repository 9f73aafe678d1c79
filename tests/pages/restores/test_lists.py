"""The list of requests and IT's queue: who sees what, filters, pages, marks, a constant number of queries."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from backups.drivers.base import Mode
from backups.kinds import KINDS
from backups.models import Backup, Environment
from backups.proof import Proof
from restores.models import RestoreRequest
from restores.workflow import Status
from tests.factories import Cast, make_backup, make_request, make_resource
from tests.pages.restores.conftest import As, finish


def text_of(browser: Browser, path: str, **query: str) -> str:
    answer = browser.get(path, query)
    assert answer.status_code == 200
    return answer.content.decode().replace("\N{NO-BREAK SPACE}", " ")


def queries_of(browser: Browser, path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert browser.get(path).status_code == 200
    return len(queries)


def test_everyone_sees_their_own(as_: As, submitted: RestoreRequest, foreign: Backup, cast: Cast) -> None:
    other = make_request(foreign, cast.media_client)
    for person, seen in (
        ("client", {submitted}),
        ("media_client", {other}),
        ("it", {submitted, other}),
        ("nobody", set()),
    ):
        page = text_of(as_(person), "/requests/")
        assert {request for request in (submitted, other) if request.number in page} == seen
    assert "No requests yet" in text_of(as_("nobody"), "/requests/")


def test_filters_narrow_the_list_and_can_be_taken_off(as_: As, backup: Backup, foreign: Backup, cast: Cast) -> None:
    waiting = make_request(backup, cast.client)
    done = make_request(backup, cast.client, mode=Mode.BESIDE)
    finish(done, cast)
    rejected = make_request(foreign, cast.media_client, status=Status.REJECTED)
    everything = {waiting, done, rejected}

    def left(**query: str) -> set[RestoreRequest]:
        page = text_of(as_("it"), "/requests/", **query)
        return {request for request in everything if request.number in page}

    assert left() == left(group="unknown", mode="sideways", client="x") == everything
    assert left(group="waiting") == {waiting}
    assert left(group="done") == left(mode="beside") == {done}
    assert left(group="stopped") == left(client=str(cast.mediaco.pk)) == left(q="news") == {rejected}
    assert left(q=waiting.number.lower()) == {waiting}
    assert left(q="shop-db", group="done") == {done}
    page = text_of(as_("it"), "/requests/", group="working")
    assert "No request matches" in page
    assert 'class="chip"' in page


def test_all_requests_of_a_resource_are_one_click_from_its_page(
    as_: As, backup: Backup, foreign: Backup, cast: Cast
) -> None:
    own, others = make_request(backup, cast.client), make_request(foreign, cast.media_client)
    more = make_request(make_backup(make_resource(cast.shop, "shop-files"), own.filed_at), cast.client)
    all_of_it = f"/requests/?resource={backup.resource_id}"
    assert f'href="{all_of_it}"' in text_of(as_("it"), f"/resources/{backup.resource_id}/")
    page = text_of(as_("it"), all_of_it)
    assert own.number in page
    assert more.number not in page
    assert others.number not in page
    assert 'href="?">shop-db ' in page
    assert f'<input type="hidden" name="resource" value="{backup.resource_id}">' in page
    strangers = text_of(as_("media_client"), all_of_it)
    assert others.number in strangers
    assert "shop-db" not in strangers


def test_pages_go_by_key(as_: As, backup: Backup, cast: Cast, now: datetime) -> None:
    made = [make_request(backup, cast.client, filed_at=now - timedelta(minutes=minute)) for minute in range(55)]
    browser = as_("client")
    first = browser.get("/requests/")
    assert made[49].number in first.content.decode()
    assert made[50].number not in first.content.decode()
    second = browser.get("/requests/", {"after": first.context["page"].next}).content.decode()
    assert made[50].number in second
    assert made[54].number in second
    assert made[49].number not in second


def test_the_queue_is_oldest_first_with_its_marks(as_: As, backup: Backup, cast: Cast, now: datetime) -> None:
    old = make_request(backup, cast.client, filed_at=now - timedelta(hours=3))
    staging = make_resource(cast.news, "news-files", environment=Environment.STAGING)
    fresh = make_backup(staging, now - timedelta(hours=2), proof=Proof.CONTENT_MATCHED)
    young = make_request(fresh, cast.media_client, mode=Mode.BESIDE, filed_at=now - timedelta(hours=1))
    second = make_request(backup, cast.colleague, mode=Mode.EXPORT)
    finished = make_request(fresh, cast.media_client, status=Status.REJECTED)
    page = text_of(as_("it"), "/approvals/")
    assert page.index(old.number) < page.index(young.number) < page.index(second.number)
    assert finished.number not in page
    assert page.count(KINDS["files"].interrupts) == 1, "of the one in place"
    rows = {row.found.pk: {words for words, _ in row.marks} for row in as_("it").get("/approvals/").context["waiting"]}
    marks = {pk: {mark.replace("\N{NO-BREAK SPACE}", " ") for mark in found} for pk, found in rows.items()}
    assert marks[old.pk] == {
        "Replaces live data", "Production", "Loses 2 d 6 h", "Another request on it", "Backup not proven yet"
    }  # fmt: skip
    assert marks[young.pk] == set()


def test_a_failed_attempt_waits_for_it_again(as_: As, submitted: RestoreRequest, cast: Cast) -> None:
    finish(submitted, cast, Status.FAILED, status="failed", proof="", error="No room.", went_live_at=None)
    assert "An attempt failed" in text_of(as_("it"), "/approvals/")


def test_ones_own_request_is_visibly_not_ones_to_approve(as_: As, backup: Backup, cast: Cast) -> None:
    make_request(backup, cast.it)
    sentence = "You filed this request; another person of IT decides about it. You can cancel it."
    assert sentence in text_of(as_("it"), "/approvals/")
    assert sentence not in text_of(as_("second_it"), "/approvals/")


def test_an_empty_queue_says_so(as_: As) -> None:
    assert "Nothing waits for IT" in text_of(as_("it"), "/approvals/")


def test_lists_ask_the_database_as_often_however_long_they_are(
    as_: As, backup: Backup, foreign: Backup, cast: Cast
) -> None:
    browser = as_("it")
    make_request(backup, cast.client)
    make_request(foreign, cast.media_client)
    before = [queries_of(browser, path) for path in ("/requests/", "/approvals/")]
    for number in range(10):
        resource = make_resource(cast.shop, f"files-{number}")
        make_request(make_backup(resource, backup.taken_at or resource.created_at), cast.colleague)
    assert [queries_of(browser, path) for path in ("/requests/", "/approvals/")] == before
