"""The inbox, what comes by mail, and following: each for oneself alone."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from portal.models import Membership
from portal.roles import Role
from restores.actions.inbox import is_following
from restores.actions.moves import note
from restores.actions.telling import tell
from restores.audience import Audience
from restores.models import Notice, Preferences, RestoreRequest
from tests.factories import Cast, make_backup, make_request, make_resource, make_user
from tests.pages.restores.conftest import As


@pytest.fixture
def told(submitted: RestoreRequest, cast: Cast) -> Notice:
    """The client asked, and IT was told."""
    tell(
        submitted, by=cast.client, now=timezone.now(), headline="Submitted", text="Clara <asked>", audience={Audience.IT}
    )  # fmt: skip
    return Notice.objects.get(person=cast.it)


def unread(as_: As, who: str) -> str:
    page = as_(who).get("/policy/").content.decode()
    found = re.search(r'<span class="count">(\S+?)<span class="visually-hidden"> unread', page)
    return found[1] if found else ""


def test_the_inbox_is_ones_own(as_: As, told: Notice) -> None:
    page = as_("it").get("/inbox/").content.decode()
    assert escape("Clara <asked>") in page
    assert told.request.get_absolute_url() in page
    assert "Mark as read" in page
    for who in ("client", "colleague", "auditor", "media_client", "nobody"):
        other = as_(who).get("/inbox/")
        assert other.status_code == 200
        assert "Nothing was told yet" in other.content.decode()


def test_what_is_read_is_counted_no_more(as_: As, told: Notice, submitted: RestoreRequest, cast: Cast) -> None:
    note(submitted, by=cast.second_it, now=timezone.now(), text="It is kept", news="Kept longer")
    assert [unread(as_, who) for who in ("it", "second_it", "client", "colleague")] == ["1", "1", "1", ""]
    as_("it").post(reverse("notice_read", args=[told.pk]))
    assert [unread(as_, who) for who in ("it", "second_it", "client")] == ["", "1", "1"]
    as_("client").post(reverse("notices_read"))
    assert [unread(as_, who) for who in ("it", "second_it", "client")] == ["", "1", ""]
    as_("second_it").get(submitted.get_absolute_url())
    assert unread(as_, "second_it") == "", "who looks at the request has read what was said of it"


def test_unread_ones_come_first_and_pages_go_by_key(as_: As, told: Notice, submitted: RestoreRequest) -> None:
    now = timezone.now()
    Notice.objects.bulk_create(
        Notice(person=told.person, request=submitted, why="turn", headline="x", text=f"no {n}.", created_at=now,
               read_at=None if n % 2 else now)
        for n in range(100)
    )  # fmt: skip
    browser = as_("it")
    first = browser.get("/inbox/")
    assert [row.text for row in first.context["page"].rows[:2]] == ["no 99.", "no 97."]
    assert not any(row.read_at for row in first.context["page"].rows)
    second = browser.get("/inbox/", {"after": first.context["page"].next}).context["page"].rows
    assert [second[0].text, second[1].text, second[-1].text] == ["Clara <asked>", "no 98.", "no 2."]


def test_who_sees_the_request_no_more_sees_no_notice_of_it(as_: As, told: Notice, cast: Cast) -> None:
    Membership.objects.filter(user=cast.it).delete()
    assert "Nothing was told yet" in as_("it").get("/inbox/").content.decode()
    assert unread(as_, "it") == ""
    assert as_("it").post(reverse("notice_read", args=[told.pk])).status_code == 404


@pytest.mark.parametrize("who", ["second_it", "client", "auditor", "media_client", "nobody"])
def test_anothers_notice_is_not_there(as_: As, told: Notice, who: str) -> None:
    assert as_(who).post(reverse("notice_read", args=[told.pk])).status_code == 404
    as_(who).post(reverse("notices_read"))
    told.refresh_from_db()
    assert told.read_at is None


def test_addresses_take_what_they_should(as_: As, told: Notice, submitted: RestoreRequest) -> None:
    for name, args in (
        ("notice_read", [told.pk]), ("notices_read", []), ("request_follow", [submitted.pk]), ("request_unfollow", [submitted.pk]),
    ):  # fmt: skip
        assert as_("it").get(reverse(name, args=args)).status_code == 405
        assert as_("").post(reverse(name, args=args))["Location"].startswith("/sign-in/")
    assert as_("it").post("/inbox/").status_code == 405
    for path in ("/inbox/", "/preferences/"):
        assert as_("").get(path)["Location"].startswith("/sign-in/")
    told.refresh_from_db()
    assert told.read_at is None


@pytest.mark.parametrize(
    ("who", "status"),
    [("client", 302), ("colleague", 302), ("it", 302), ("auditor", 302), ("media_client", 404), ("nobody", 404)],
)
def test_who_sees_a_request_may_follow_it(
    as_: As, submitted: RestoreRequest, cast: Cast, who: str, status: int
) -> None:
    browser, person = as_(who), cast.people[who]
    for name, follows in (("request_follow", True), ("request_unfollow", False)):
        assert browser.post(reverse(name, args=[submitted.pk])).status_code == status
        assert is_following(person, submitted) is (follows and status == 302)


def test_the_request_says_whether_one_follows(as_: As, submitted: RestoreRequest) -> None:
    page = as_("client").get(submitted.get_absolute_url()).content.decode()
    assert "You follow this request" in page
    assert reverse("request_unfollow", args=[submitted.pk]) in page
    page = as_("colleague").get(submitted.get_absolute_url()).content.decode()
    assert "You are told when it is your turn" in page
    assert reverse("request_follow", args=[submitted.pk]) in page


def test_what_comes_by_mail_is_chosen(as_: As, cast: Cast) -> None:
    browser = as_("client")
    shown = browser.get("/preferences/")
    assert "Mail goes to clara-of-shopco@example.com." in shown.content.decode()
    assert [shown.context["form"][name].value() for name in ("mail_turn", "mail_followed", "digest")] == [
        True,
        True,
        False,
    ]
    answer = browser.post("/preferences/", {"mail_turn": "on", "digest": "on"}, follow=True)
    assert "Your preferences are saved." in answer.content.decode()
    [chosen] = Preferences.objects.all()
    assert (chosen.person, chosen.mail_turn, chosen.mail_followed, chosen.digest) == (cast.client, True, False, True)
    assert [answer.context["form"][name].value() for name in ("mail_turn", "mail_followed", "digest")] == [
        True,
        False,
        True,
    ]


def test_a_program_is_told_of_nothing(as_: As, cast: Cast, submitted: RestoreRequest) -> None:
    cast.second_it.is_service_account = True
    cast.second_it.save()
    browser = as_("second_it")
    sentence = "A service account is told of nothing. It asks the API."
    assert sentence in browser.get("/preferences/").content.decode()
    for path in ("/preferences/", reverse("request_follow", args=[submitted.pk])):
        assert browser.post(path, {"digest": "on"}).status_code == 403
    assert "Who is told" not in browser.get(submitted.get_absolute_url()).content.decode()
    assert not Preferences.objects.exists()


def test_the_pages_ask_as_often_however_much_there_is(as_: As, told: Notice, cast: Cast) -> None:
    browser = as_("it")

    def asked(path: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(path).status_code == 200
        return len(queries)

    before = [asked(path) for path in ("/inbox/", "/policy/")]
    for n in range(8):
        request = make_request(make_backup(make_resource(cast.shop, f"db-{n}"), timezone.now()), cast.client)
        tell(request, by=None, now=timezone.now(), headline="x", text="y", audience={Audience.IT})
    assert [asked(path) for path in ("/inbox/", "/policy/")] == before


def test_many_unread_are_not_counted_to_the_last(as_: As, told: Notice, submitted: RestoreRequest) -> None:
    Notice.objects.bulk_create(
        Notice(person=told.person, request=submitted, why="turn", headline="x", text="y", created_at=timezone.now())
        for _ in range(120)
    )
    assert unread(as_, "it") == "99+"


def test_internal_ones_are_marked_and_never_the_clients(as_: As, submitted: RestoreRequest, cast: Cast) -> None:
    staff = make_user("sara-for-shopco", Role.STAFF, cast.shopco)
    for person in (staff, cast.client):
        Notice.objects.create(
            person=person, request=submitted, why="follows", internal=True, headline="Note", text="Secret", created_at=timezone.now()
        )  # fmt: skip
    assert "Secret" not in as_("client").get("/inbox/").content.decode()
    assert Notice.objects.visible_to(staff).exists()
