"""Sign-in, start, policy, administration, health, and what is said when something goes wrong."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404
from django.test import Client as Browser
from django.urls import reverse

from backups.models import Backup, Pin, Resource, ResourceState
from portal.errors import Refused
from portal.models import Client, Membership, User
from portal.roles import Role
from restores.workflow import Status
from tests.factories import (
    PASSWORD,
    Cast,
    make_attempt,
    make_backup,
    make_charge,
    make_open_backup,
    make_request,
    make_resource,
)  # fmt: skip
from tests.pages.conftest import As


def test_an_address_for_forms_says_so_when_it_is_looked_at(as_: As, resource: Resource) -> None:
    answer = as_("it").get(f"/resources/{resource.pk}/back-up/")
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert "This address only takes what a form sends. Nothing was changed." in answer.content.decode()


def test_signing_in_by_name_and_by_email(cast: Cast) -> None:
    for login in ("ivan-of-it", "ivan-of-it@example.com"):
        answer = Browser().post("/sign-in/", {"login": login, "password": PASSWORD})
        assert (answer.status_code, answer["Location"]) == (302, "/")
    wrong = Browser().post("/sign-in/", {"login": "ivan-of-it", "password": "wrong"})
    assert wrong.status_code == 200
    assert "do not belong together" in wrong.content.decode()


def test_too_many_tries_are_told_in_the_portals_words(cast: Cast) -> None:
    browser = Browser()
    for _ in range(40):
        answer = browser.post("/password/reset/", {"email": "ivan-of-it@example.com"})
    assert answer.status_code == 429
    shown = answer.content.decode()
    assert "Wait five minutes, then try once more." in shown
    assert "HaaS backups" in shown


def test_signing_out(as_: As) -> None:
    browser = as_("it")
    assert "Sign out?" in browser.get("/sign-out/").content.decode()
    browser.post("/sign-out/")
    assert browser.get("/").status_code == 302


@pytest.mark.parametrize("path", ["/signup/", "/sign-up/", "/accounts/signup/", "/email/", "/accounts/login/"])
def test_there_is_no_sign_up(as_: As, path: str) -> None:
    assert as_("it").get(path).status_code == 404


def test_the_cast_is_shown_only_in_the_demo(cast: Cast, settings: Any) -> None:
    from portal.demo.cast import CAST

    assert CAST[0].password not in Browser().get(f"/sign-in/?as={CAST[0].username}").content.decode()
    settings.DEMO = True
    shown = Browser().get("/sign-in/").content.decode()
    assert all(person.password in shown for person in CAST)
    filled = Browser().get(f"/sign-in/?as={CAST[0].username}").content.decode()
    assert f'value="{CAST[0].password}"' in filled


def test_a_forgotten_password(cast: Cast) -> None:
    browser = Browser()
    for address in ("ivan-of-it@example.com", "nobody@example.com"):
        answer = browser.post("/password/reset/", {"email": address}, follow=True)
        assert "Look into your mail" in answer.content.decode()
    link = re.search(r"http://testserver(/password/reset/key/\S+)", str(mail.outbox[0].body))
    assert link
    form = browser.get(link[1], follow=True)
    new = "quite-another-password"
    done = browser.post(form.request["PATH_INFO"], {"password1": new, "password2": new}, follow=True)
    assert "Your password is set" in done.content.decode()
    assert Browser().post("/sign-in/", {"login": "ivan-of-it", "password": new}).status_code == 302


def test_changing_the_password(as_: As) -> None:
    assert as_("client").get("/password/change/").status_code == 200


@pytest.mark.parametrize(
    ("who", "entries"),
    [
        ("client", ["Start", "Resources", "Requests", "Charges", "Checkups", "Policy"]),
        ("staff", ["Start", "Resources", "Requests", "Checkups", "Policy"]),
        (
            "it",
            [
                "Start",
                "Resources",
                "Requests",
                "Approvals",
                "Incidents",
                "Compliance",
                "Retention",
                "Checkups",
                "Policy",
            ],
        ),
        ("account_manager", ["Start", "Resources", "Requests", "Charges", "Checkups", "Policy"]),
        (
            "administrator",
            [
                "Start",
                "Resources",
                "Requests",
                "Incidents",
                "Charges",
                "Compliance",
                "Retention",
                "Checkups",
                "Prices",
                "Policy",
                "People",
            ],
        ),
        (
            "auditor",
            ["Start", "Resources", "Requests", "Incidents", "Charges", "Compliance", "Retention", "Checkups", "Policy"],
        ),
        ("nobody", ["Start", "Policy"]),
    ],
)
def test_the_navigation_is_by_role(as_: As, who: str, entries: list[str]) -> None:
    answer = as_(who).get("/")
    assert [item.label for item in answer.context["navigation"]] == entries


def test_the_navigation_counts_what_waits(as_: As, cast: Cast, now: datetime) -> None:
    backup = make_backup(make_resource(cast.shop), now)
    make_request(backup, cast.client)
    make_charge(make_request(backup, cast.client, status=Status.COMPLETED))
    counts = {
        who: [item.count for item in as_(who).get("/").context["navigation"] if item.count] for who in cast.people
    }
    assert counts["it"] == counts["second_it"] == counts["account_manager"] == [1]
    assert not any(counts[who] for who in ("client", "auditor", "media_account_manager", "administrator"))


def test_start_for_it(as_: As, cast: Cast, now: datetime) -> None:
    resource = make_resource(cast.shop, "shop-db")
    backup = make_backup(resource, now - timedelta(days=2))
    waiting = make_request(backup, cast.client)
    running = make_request(backup, cast.client, status=Status.RUNNING)
    make_attempt(running, cast.it, bytes_done=1_000_000, bytes_expected=4_000_000)
    make_open_backup(resource, now)
    shown = as_("it").get("/").content.decode()
    assert waiting.number in shown
    assert "25 %" in shown
    assert "1 resource is late" in shown


def test_all_is_well_only_when_it_is(as_: As, cast: Cast, now: datetime) -> None:
    backup = make_backup(make_resource(cast.shop), now)
    assert "All is well" in as_("it").get("/").content.decode()
    make_request(backup, cast.client, status=Status.FAILED)
    assert "1 restore failed" in as_("it").get("/").content.decode()
    assert "All is well" not in as_("it").get("/").content.decode()
    assert "All is well" in as_("client").get("/").content.decode()  # it is IT's turn, and the request says so
    vanished = make_resource(cast.shop, state=ResourceState.VANISHED)
    make_backup(vanished, now)
    for who in ("it", "client", "auditor"):
        shown = as_(who).get("/").content.decode()
        assert "1 resource has vanished" in shown, who
        assert "All is well" not in shown, who
    assert "vanished" not in as_("media_client").get("/").content.decode()


def test_open_requests_come_first_on_a_clients_start(as_: As, cast: Cast, now: datetime) -> None:
    backup = make_backup(make_resource(cast.shop), now)
    old = make_request(backup, cast.client, filed_at=now - timedelta(days=9))
    for _ in range(9):
        make_request(backup, cast.client, status=Status.REJECTED)
    assert as_("client").get("/").context["own"]["requests"][0] == old


def test_who_is_a_client_here_and_an_account_manager_there_decides_only_there(
    as_: As, cast: Cast, now: datetime
) -> None:
    Membership.objects.create(user=cast.account_manager, role=Role.CLIENT, client=cast.mediaco)
    charges = [
        make_charge(make_request(make_backup(make_resource(application), now), who, status=Status.COMPLETED))
        for application, who in ((cast.shop, cast.client), (cast.news, cast.media_client))
    ]
    answer = as_("account_manager").get("/")
    assert [charge.pk for charge in answer.context["money"]["to_review"]] == [charges[0].pk]
    assert [item.count for item in answer.context["navigation"] if item.count] == [1]


def test_start_for_a_client(as_: As, cast: Cast, now: datetime) -> None:
    backup = make_backup(make_resource(cast.shop, "shop-db"), now)
    theirs = make_request(make_backup(make_resource(cast.news, "news-db"), now), cast.media_client)
    own = make_request(backup, cast.client)
    shown = as_("client").get("/").content.decode()
    assert f'href="{reverse("request_new")}"' in shown
    assert "I need something back" in shown
    assert own.number in shown
    assert theirs.number not in shown
    assert "news-db" not in shown
    assert "All is well" in shown


def test_start_for_an_account_manager(as_: As, cast: Cast, now: datetime) -> None:
    backup = make_backup(make_resource(cast.shop), now)
    charge = make_charge(make_request(backup, cast.client, status=Status.COMPLETED))
    assert reverse("charge", args=[charge.pk]) in as_("account_manager").get("/").content.decode()
    assert reverse("charge", args=[charge.pk]) not in as_("media_account_manager").get("/").content.decode()


def test_the_policy_has_every_rule(as_: As) -> None:
    shown = as_("client").get("/policy/").content.decode()
    for rule in ("B1", "B2", "B3", "B4", "B5", "R1", "R2"):
        assert f'<strong class="rule">{rule}</strong>' in shown


def test_health_needs_no_sign_in(db: None) -> None:
    assert Browser().get("/healthz").content == b"ok\n"


def test_nothing_there(as_: As) -> None:
    answer = as_("client").get("/nothing/")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.content.decode()


def test_an_unexpected_error_has_a_reference(as_: As, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.dashboard.figures_of", lambda user: 1 / 0)
    browser = as_("client")
    browser.raise_request_exception = False
    answer = browser.get("/")
    assert answer.status_code == 500
    assert re.search(r'<strong class="mono">[0-9A-F]{8}</strong>', answer.content.decode())
    assert "ZeroDivision" not in answer.content.decode()


def test_a_refusal_is_a_sentence_with_its_status(as_: As, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(user: User) -> None:
        raise Refused("Not <now>.")

    monkeypatch.setattr("portal.dashboard.figures_of", refuse)
    browser = as_("client")
    page = browser.get("/", headers={"referer": "http://testserver/resources/"})
    assert page.status_code == 409
    assert "Not &lt;now&gt;." in page.content.decode()
    assert 'href="http://testserver/resources/"' in page.content.decode()
    elsewhere = browser.get("/", headers={"referer": "https://elsewhere.example/"})
    assert "elsewhere.example" not in elsewhere.content.decode()
    part = browser.get("/", headers={"HX-Request": "true"})
    assert (part.status_code, part.content) == (409, b"Not &lt;now&gt;.")


def links_of(answer: Any) -> list[str]:
    """Where the content of a page leads, in its order."""
    return re.findall(
        r'href="([^"]+)"', answer.content.decode().partition('<main class="page"')[2].partition("</main>")[0]
    )


def test_a_refused_removal_leads_to_the_resource(as_: As, backup: Backup, now: datetime) -> None:
    resource = backup.resource
    Pin.objects.create(backup=backup, label="RR-1042", since=now)
    address, page = f"/resources/{resource.pk}/remove/", f"/resources/{resource.pk}/"
    for answer in (
        as_("it").get(address),
        as_("it").get(address, headers={"referer": f"http://testserver{page}"}),
        as_("it").post(address, headers={"referer": f"http://testserver{address}"}),
    ):
        assert answer.status_code == 409
        assert links_of(answer) == [page, "/"]
    assert links_of(as_("client").get(address)) == [page, "/"], "who may not remove it sees it"
    answer = as_("it").get(address, headers={"referer": "http://testserver/resources/?state=late"})
    assert links_of(answer) == ["http://testserver/resources/?state=late", page, "/"]


@pytest.mark.parametrize("who", ["it", "client"])
def test_what_a_page_that_says_no_leads_to_says_yes(as_: As, cast: Cast, backup: Backup, who: str) -> None:
    request = make_request(backup, cast.client, status=Status.COMPLETED)
    charge = make_charge(request)
    for path in (
        f"/resources/{backup.resource_id}/back-up/", f"/resources/{backup.resource_id}/bring-back/", f"/backups/{backup.pk}/hold/",
        f"/requests/{request.pk}/approve/", f"/charges/{charge.pk}/confirm/", "/resources/new/?kind=files", "/requests/new/summary/",
        "/retention/next/", "/approvals/", "/compliance/findings.csv",
    ):  # fmt: skip
        for answer in (as_(who).get(path), as_(who).post(path)):
            if answer.status_code >= 400 and "This was not done" in answer.content.decode():
                assert links_of(answer)[-1] == "/", path
                for link in links_of(answer):
                    assert as_(who).get(link).status_code == 200, (path, link)
    shown = as_(who).get(f"/backups/{backup.pk}/hold/")
    assert (shown.status_code, links_of(shown)) == (405, [f"/backups/{backup.pk}/", "/"])


@pytest.mark.parametrize("error", [PermissionDenied, BadRequest, Http404])
def test_djangos_own_refusals_lead_back_too(as_: As, monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    def refuse(user: User) -> None:
        raise error

    monkeypatch.setattr("portal.dashboard.figures_of", refuse)
    answer = as_("client").get("/", headers={"referer": "http://testserver/resources/?state=late"})
    assert answer.status_code in {400, 403, 404}
    assert links_of(answer) == ["http://testserver/resources/?state=late", "/"]


def test_a_stranger_is_led_to_nothing_that_they_may_not_see(as_: As, resource: Resource) -> None:
    assert links_of(as_("media_client").get(f"/resources/{resource.pk}/remove/")) == ["/"]


def test_a_host_that_is_not_the_portals_is_refused_in_words(as_: As) -> None:
    answer = as_("client").get("/", headers={"host": "elsewhere.example", "referer": "http://testserver/"})
    assert (answer.status_code, links_of(answer)) == (400, ["/"])


def test_a_stale_form_says_so(cast: Cast) -> None:
    browser = Browser(enforce_csrf_checks=True)
    page = "http://testserver/sign-in/"
    answer = browser.post("/sign-in/", {"login": "x", "password": "y"}, headers={"referer": page})
    assert answer.status_code == 403
    assert "This page was too old" in answer.content.decode()
    assert links_of(answer)[0] == page


@pytest.mark.parametrize("who", ["client", "it", "auditor", "account_manager", "nobody"])
def test_administration_is_for_administrators(as_: As, who: str) -> None:
    assert as_(who).get("/administration/", follow=True).redirect_chain[-1] == ("/", 302)
    assert as_(who).get("/administration/portal/user/").status_code == 302


def test_administration(as_: As, cast: Cast) -> None:
    browser = as_("administrator")
    for kind in ("user", "client", "application", "membership"):
        assert browser.get(f"/administration/portal/{kind}/").status_code == 200
        assert browser.get(f"/administration/portal/{kind}/add/").status_code == 200
    assert browser.get(f"/administration/portal/user/{cast.it.pk}/change/").status_code == 200
    browser.post("/administration/portal/client/add/", {"name": "Newco"})
    record = Client.objects.get(name="Newco").history.get()
    assert record.history_user == cast.administrator


def test_no_page_has_inline_style_or_script(as_: As, cast: Cast, now: datetime) -> None:
    backup = make_backup(make_resource(cast.shop), now)
    paths = [
        "/",
        "/resources/",
        f"/resources/{backup.resource_id}/",
        f"/backups/{backup.pk}/",
        "/policy/",
        "/resources/new/",
    ]
    for path in paths:
        answer = as_("it").get(path)
        shown = answer.content.decode()
        assert not re.search(r"\sstyle=|<style|\son[a-z]+=|<script(?![^>]*\ssrc=)", shown), path
        assert "style-src 'self'" in answer["Content-Security-Policy"]
