"""Whose turn it is, to whom: the start page's first card, the navigation's count, the list and its filter, the inbox."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from moneyed import Money

from backups.models import Backup
from portal.models import Membership, User
from portal.roles import Role
from portal.words import exact_time
from restores.actions.moves import apply_move
from restores.charging import Cause
from restores.models import Incident, Notice, RestoreRequest
from restores.pricing import Estimate
from restores.waiting import is_waiting_for, waits_for
from restores.workflow import Move, Status
from tests.factories import Cast, make_backup, make_request, make_resource, make_user
from tests.pages.restores.conftest import As

NBSP = "\N{NO-BREAK SPACE}"


def priced(backup: Backup, by: User, price: str = "46.50", **facts: Any) -> RestoreRequest:
    """A request whose estimate waits for the client."""
    request = make_request(backup, by, status=Status.AWAITING_CONSENT, **facts)
    estimate = Estimate(1, (), Money(Decimal(price), "EUR"))
    RestoreRequest.objects.filter(pk=request.pk).update(plan={**request.plan, "estimate": estimate.as_json()})
    request.refresh_from_db()
    return request


def text_of(browser: Browser, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200
    return answer.content.decode().replace(NBSP, " ")


def card_of(page: str) -> str:
    """The card of what waits for the reader; empty where there is none."""
    found = re.search(r'<section class="card card-turn".*?</section>', page, re.DOTALL)
    return found[0] if found else ""


def counted(browser: Browser) -> dict[str, int]:
    """What the navigation counts, by entry."""
    return {item.label: item.count for item in browser.get("/").context["navigation"] if item.count}


def turns_in(page: str) -> list[str]:
    """The list's column."""
    rows = re.findall(r"<tr>(.*?)</tr>", page.partition("<tbody")[2], re.DOTALL)
    return [re.sub(r"<[^>]+>", "", re.findall(r"<td.*?</td>", row, re.DOTALL)[4]) for row in rows]


def ascending(positions: Iterable[int]) -> bool:
    return all(before < after for before, after in pairwise(positions))


class TestStart:
    def test_what_waits_for_the_client_stands_above_all_else(
        self, as_: As, backup: Backup, cast: Cast, now: datetime
    ) -> None:
        waits = priced(backup, cast.client, filed_at=now - timedelta(days=9), expires_at=now + timedelta(days=5))
        for _ in range(8):
            make_request(backup, cast.client, status=Status.COMPLETED)
        page = text_of(as_("client"), "/")
        card = card_of(page)
        for words in (
            "Waits for you", waits.number, "shop-db", "at most EUR 46.50", exact_time(now + timedelta(days=5), now).replace(NBSP, " "),
            f'href="{waits.get_absolute_url()}"', "Read and decide", 'href="/requests/?group=me"',
        ):  # fmt: skip
            assert words in card, words
        places = [page.index(title) for title in ("Waits for you", "I need something back", "Restore requests")]
        assert ascending(places)

    @pytest.mark.parametrize("who", ["staff", "it", "account_manager", "auditor", "administrator", "media_client"])
    def test_it_stands_there_for_nobody_else(self, as_: As, backup: Backup, cast: Cast, who: str) -> None:
        priced(backup, cast.staff)
        assert card_of(text_of(as_(who), "/")) == ""
        assert card_of(text_of(as_("colleague"), "/")) != "", "whoever of the client filed it"

    def test_where_nothing_waits_there_is_no_card(self, as_: As, submitted: RestoreRequest) -> None:
        assert card_of(text_of(as_("client"), "/")) == ""

    def test_what_expires_first_comes_first_and_a_long_list_says_that_there_is_more(
        self, as_: As, backup: Backup, cast: Cast, now: datetime
    ) -> None:
        made = [priced(backup, cast.client, expires_at=now + timedelta(days=20 - day)) for day in range(9)]
        card = card_of(text_of(as_("client"), "/"))
        assert ascending(card.index(f">{request.number}<") for request in reversed(made[1:]))
        assert made[0].number not in card
        assert "All that waits for you" in card

    def test_clients_are_named_to_who_decides_for_several(
        self, as_: As, backup: Backup, foreign: Backup, cast: Cast
    ) -> None:
        priced(backup, cast.client)
        priced(foreign, cast.media_client)
        assert "of Shopco" not in card_of(text_of(as_("client"), "/"))
        Membership.objects.create(user=cast.client, role=Role.CLIENT, client=cast.mediaco)
        card = card_of(text_of(as_("client"), "/"))
        assert "of Shopco" in card
        assert "of Mediaco" in card

    def test_the_list_goes_by_turn_and_what_is_done_comes_last_the_newest_first(
        self, as_: As, backup: Backup, cast: Cast, now: datetime
    ) -> None:
        def made(status: Status, days: int) -> RestoreRequest:
            return make_request(backup, cast.client, status=status, filed_at=now - timedelta(days=days))

        older, waits, submitted, running, completed, rejected, newest = (
            made(Status.REJECTED, 8), made(Status.AWAITING_CONSENT, 9), made(Status.SUBMITTED, 7), made(Status.RUNNING, 6),
            made(Status.COMPLETED, 2), made(Status.REJECTED, 3), made(Status.COMPLETED, 1),
        )  # fmt: skip
        shown = as_("client").get("/").context["own"]["requests"]
        assert shown == [waits, running, submitted, newest, completed, rejected, older]
        for_staff = as_("staff").get("/").context["own"]["requests"]
        assert for_staff[:3] == [running, submitted, waits], "to those who cannot accept it is one of those under way"

    def test_it_costs_as_many_queries_however_much_waits(self, as_: As, backup: Backup, cast: Cast) -> None:
        browser = as_("client")
        priced(backup, cast.client)

        def asked() -> int:
            with CaptureQueriesContext(connection) as queries:
                assert browser.get("/").status_code == 200
            return len(queries)

        before = asked()
        for number in range(6):
            priced(make_backup(make_resource(cast.shop, f"db-{number}"), timezone.now()), cast.staff)
        assert asked() == before


class TestNavigation:
    def test_counts_what_the_client_is_to_accept(self, as_: As, backup: Backup, foreign: Backup, cast: Cast) -> None:
        priced(backup, cast.client)
        priced(backup, cast.staff)
        priced(foreign, cast.media_client)
        make_request(backup, cast.client, status=Status.COMPLETED)
        assert counted(as_("client")) == counted(as_("colleague")) == {"Requests": 2}
        assert counted(as_("media_client")) == {"Requests": 1}
        assert '<span class="count">2<span class="visually-hidden"> waiting for you</span>' in text_of(
            as_("client"), "/"
        )
        for who in ("staff", "it", "account_manager", "auditor", "administrator"):
            assert "Requests" not in counted(as_(who)), who


class TestList:
    def test_the_turn_is_said_to_the_reader(self, as_: As, backup: Backup, cast: Cast, now: datetime) -> None:
        for days, status in enumerate((Status.AWAITING_CONSENT, Status.SUBMITTED, Status.COMPLETED, Status.REJECTED)):
            make_request(backup, cast.client, status=status, filed_at=now - timedelta(days=days))
        seen = {who: turns_in(text_of(as_(who), "/requests/")) for who in ("client", "colleague", "staff", "it")}
        assert seen == {
            "client": ["You", "IT", "You, to check", "Nobody"],
            "colleague": ["You", "IT", f"{cast.client}, to check", "Nobody"],
            "staff": ["The client", "IT", f"{cast.client}, to check", "Nobody"],
            "it": ["The client", "You", f"{cast.client}, to check", "Nobody"],
        }

    def test_nobody_of_it_is_to_decide_about_their_own(self, as_: As, backup: Backup, cast: Cast) -> None:
        make_request(backup, cast.it)
        assert turns_in(text_of(as_("it"), "/requests/")) == ["IT"]
        assert turns_in(text_of(as_("second_it"), "/requests/")) == ["You"]

    def test_the_filter_leaves_what_waits_for_oneself(
        self, as_: As, backup: Backup, foreign: Backup, cast: Cast
    ) -> None:
        consent, submitted = priced(backup, cast.client), make_request(backup, cast.client)
        own, theirs = make_request(backup, cast.it), priced(foreign, cast.media_client)
        done = make_request(backup, cast.client, status=Status.COMPLETED)
        everything = {consent, submitted, own, theirs, done}

        def left(who: str) -> set[RestoreRequest]:
            page = text_of(as_(who), "/requests/?group=me")
            return {request for request in everything if request.number in page}

        assert left("client") == left("colleague") == {consent}
        assert left("media_client") == {theirs}
        assert left("it") == {submitted}
        assert left("second_it") == {submitted, own}
        page = text_of(as_("client"), "/requests/?group=me")
        assert '<option value="me" selected>Waits for me</option>' in page
        assert re.search(r'class="chip" href="\?">Waits for me ', page)

    def test_it_is_offered_to_those_for_whom_something_can_wait(
        self, as_: As, submitted: RestoreRequest, cast: Cast
    ) -> None:
        for who, offered in (("client", True), ("it", True), ("staff", False), ("auditor", False)):
            page = text_of(as_(who), "/requests/?group=me")
            assert ("Waits for me" in page) is offered, who
            assert (submitted.number in page) is (who != "client"), (
                "to others it makes no sense, and nothing is left out"
            )


def test_the_database_and_the_page_agree_on_whose_turn_it_is(
    backup: Backup, foreign: Backup, cast: Cast, now: datetime
) -> None:
    incident = Incident.objects.create(
        status="open", source="person", hazard="The rack burns.", began_at=now, declared_at=now, declared_by=cast.it,
        status_changed_at=now,
    )  # fmt: skip
    requests = [
        make_request(of, by, status=status)
        for status in Status
        for of, by in ((backup, cast.client), (backup, cast.it), (foreign, cast.media_client))
    ]
    for_it = make_request(backup, cast.it, cause=Cause.INFRASTRUCTURE, incident=incident)
    robots = [
        make_user("robot-of-shopco", Role.CLIENT, cast.shopco, is_service_account=True),
        make_user("robot-of-it", Role.IT, is_service_account=True),
    ]
    for person in (*cast.people.values(), *robots):
        waiting = set(RestoreRequest.objects.filter(waits_for(person)))
        assert waiting == {one for one in (*requests, for_it) if is_waiting_for(person, one)}, person
        assert (for_it in waiting) is (person in (cast.it, cast.second_it)), "an incident's are IT's own to decide"
        assert not person.is_service_account or not waiting


class TestInbox:
    def test_it_is_the_reader_who_is_to_accept(self, as_: As, submitted: RestoreRequest, cast: Cast) -> None:
        apply_move(submitted, Move.QUOTE, by=None, now=timezone.now())
        assert "The estimate waits for you to accept or decline it" in text_of(as_("client"), "/inbox/")
        assert "The estimate waits for you to accept or decline it" in text_of(as_("colleague"), "/inbox/")

    def test_who_only_follows_is_told_of_the_client(self, as_: As, backup: Backup, cast: Cast) -> None:
        apply_move(make_request(backup, cast.staff), Move.QUOTE, by=None, now=timezone.now())
        page = text_of(as_("staff"), "/inbox/")
        assert "The estimate waits for the client’s consent" in page
        assert "waits for you" not in page
        assert Notice.objects.get(person=cast.client).text == "The estimate waits for you to accept or decline it"


class TestRequest:
    def test_says_what_is_to_be_done_to_who_is_to_do_it(self, as_: As, backup: Backup, cast: Cast) -> None:
        consent, submitted = priced(backup, cast.client), make_request(backup, cast.client)
        failed = make_request(backup, cast.client, status=Status.FAILED)
        for request, who, words in (
            (consent, "client", "</strong> Read the estimate, then accept or decline it."),
            (consent, "staff", "</strong> The client reads the estimate and accepts or declines it."),
            (submitted, "it", "</strong> Review the request, then approve or reject it."),
            (submitted, "client", "</strong> IT reviews the request and approves or rejects it."),
            (failed, "it", "</strong> Look at what went wrong, then approve another attempt."),
            (failed, "client", "</strong> IT looks at what went wrong and approves another attempt."),
        ):
            page = text_of(as_(who), request.get_absolute_url())
            assert words in page, who
            assert ("<strong>Your turn." in page) is ("then" in words), who
