"""Saying how a restored copy of a resource is asked, and no longer asking."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from backups.models import Backup, Resource
from checkups.models import ApplicationCheck, Trial
from portal.history import acting
from tests.factories import Cast
from tests.pages.checkups.conftest import As, body


@pytest.fixture
def address(resource: Resource) -> str:
    return reverse("asking", args=[resource.pk])


@pytest.fixture
def hosts(settings: Any) -> None:
    settings.CHECKUP_HTTP_HOSTS = ("checks.internal:80",)


def test_the_form_says_what_can_be_asked(as_: As, address: str) -> None:
    shown = body(as_("it").get(address))
    for words in ("{database}", "the name of the restored database", "CHECKUP_HTTP_HOSTS", "A program"):
        assert words in shown
    assert "Ask no longer…" not in shown


def test_what_cannot_be_asked_comes_back_beside_its_field(as_: As, address: str, hosts: None) -> None:
    for typed, sentence in (
        ({"text": "http://elsewhere.internal/x"}, "Checks may not be sent to elsewhere.internal:80."),
        (
            {"text": "http://checks.internal/health"},
            "has to name the restored copy by {database}, in its path or its query",
        ),
        ({"text": "http://checks.internal/?h={host}"}, "has to name the restored copy by {database}"),
        ({"text": "http://checks.internal/#{database}"}, "has to name the restored copy by {database}"),
        ({"text": "http://checks.internal/{database}/{Path}"}, "{Path} means nothing for this kind of resource."),
        ({"text": ""}, "Say what is asked"),
        ({"seconds": "0"}, "Choose from 1 to 3,600 seconds."),
        ({"seconds": ""}, "Choose from 1 to 3,600 seconds."),
        ({"reason": " "}, "Say why: the reason is kept with the check."),
        ({"way": "command", "text": "../../bin/sh"}, "No programs can be run"),
        ({"way": "telepathy"}, "telepathy is not one of the available choices."),
    ):
        values = {"way": "http", "text": "http://checks.internal/?d={database}", "seconds": "20", "reason": "The shop."}
        assert sentence in body(as_("it").post(address, values | typed), 400)
    assert not ApplicationCheck.objects.exists()


def test_it_says_how_and_takes_it_back(as_: As, address: str, resource: Resource, hosts: None) -> None:
    values = {"way": "http", "text": "http://checks.internal/?d={database}", "seconds": "20", "reason": "The shop."}
    shown = body(as_("it").post(address, values, follow=True))
    assert "From now on a restored copy is asked that." in shown
    assert "http://checks.internal/?d={database}" in shown
    assert ApplicationCheck.objects.get(resource=resource).seconds == 20
    assert "http://checks.internal/?d={database}" in body(as_("it").get(address))
    shown = body(as_("it").post(f"{address}remove/", {"reason": ""}), 400)
    assert "Say why: the reason is kept with the check." in shown
    assert 'aria-labelledby="remove-title" open' in shown
    shown = body(as_("it").post(f"{address}remove/", {"reason": "The shop moved."}, follow=True))
    assert "no longer asked" in shown
    assert not ApplicationCheck.objects.exists()
    shown = body(as_("it").post(f"{address}remove/", {"reason": "The shop moved."}), 409)
    assert "A restored copy of shop-db is not asked anything: there is no check to take away." in shown
    assert as_("it").get(f"{address}remove/").status_code == 405
    assert as_("auditor").post(f"{address}remove/", {"reason": "The shop moved."}).status_code == 403
    assert as_("media_client").post(f"{address}remove/").status_code == 404


def test_a_program_by_its_name(as_: As, address: str, settings: Any, tmp_path: Path) -> None:
    program = tmp_path / "is-the-shop-there"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    settings.CHECKUP_PROGRAMS_DIR = tmp_path
    values = {"way": "command", "text": program.name, "seconds": "20", "reason": "The shop."}
    assert "is-the-shop-there" in body(as_("it").post(address, values, follow=True))


ASKED = {"way": "sql", "text": "SELECT count(*) FROM orders", "seconds": "20", "reason": "The shop."}


def test_trying_it_leads_to_the_trials_page(as_: As, address: str, backup: Backup) -> None:
    assert "It cannot be tried just now." not in body(as_("it").get(address))
    answer = as_("it").post(address, ASKED | {"try_now": "on"}, follow=True)
    trial = Trial.objects.get()
    assert answer.redirect_chain == [(reverse("trial", args=[trial.pk]), 302)]
    assert "From now on a restored copy is asked that." in body(answer)
    assert (trial.backup, trial.get_wanted_display(), trial.reason) == (backup, "application answered", "The shop.")


def test_without_the_box_nothing_is_tried(as_: As, address: str, backup: Backup) -> None:
    assert "It was not tried." not in body(as_("it").post(address, ASKED, follow=True))
    assert not Trial.objects.exists()


def test_what_cannot_be_tried_just_now_is_kept(as_: As, cast: Cast, address: str, backup: Backup) -> None:
    body(as_("it").post(address, ASKED | {"try_now": "on"}, follow=True))
    under_way = "A backup of shop-db is being tested just now. Wait until that is done."
    assert f"It cannot be tried just now. {under_way}" in body(as_("it").get(address))
    typed = ASKED | {"text": "SELECT 1 FROM orders", "try_now": "on"}
    shown = body(as_("second_it").post(address, typed, follow=True))
    assert "From now on a restored copy is asked that." in shown
    assert f"It was not tried. {under_way}" in shown
    assert ApplicationCheck.objects.get().text == "SELECT 1 FROM orders"
    assert Trial.objects.count() == 1


def test_what_is_refused_is_not_tried_either(as_: As, address: str, backup: Backup) -> None:
    shown = body(as_("it").post(address, ASKED | {"seconds": "0", "try_now": "on"}), 400)
    assert re.search(r'name="try_now"[^>]* checked', shown), "what was chosen stays"
    assert not Trial.objects.exists()


def changes_on(as_: As, who: str, resource: Resource) -> list[str]:
    """The entries under Changes, in words."""
    shown = body(as_(who).get(resource.get_absolute_url()))
    entries = shown.partition(">Changes</h2>")[2].partition("</ol>")[0].split("<li>")[1:]
    return [" ".join(re.sub("<[^>]+>", " ", entry).split()) for entry in entries]


def test_changes_of_it_are_among_those_of_the_resource(as_: As, address: str, resource: Resource) -> None:
    as_("it").post(address, ASKED)
    with acting(None, "It moved."):
        resource.environment = "staging"
        resource.save()
    as_("second_it").post(address, ASKED | {"text": "SELECT 1 FROM orders", "reason": "There are no orders yet."})
    as_("second_it").post(address, ASKED | {"text": "SELECT 1 FROM orders", "reason": "Nothing new."})
    as_("it").post(f"{address}remove/", {"reason": "The shop was closed."})
    gone, changed, moved, added, registered = changes_on(as_, "it", resource)
    assert gone.startswith("Check of the application removed by Ivan, just now")
    assert "how: An SQL query → – what: SELECT 1 FROM orders → – within: 20 s → – The shop was closed." in gone
    assert changed.startswith("Check of the application changed by Iris, just now")
    assert changed.endswith("what: SELECT count(*) FROM orders → SELECT 1 FROM orders There are no orders yet.")
    assert moved.startswith("Changed by the portal, just now")
    assert added.startswith("Check of the application added by Ivan, just now")
    assert "how: – → An SQL query what: – → SELECT count(*) FROM orders within: – → 20 s The shop." in added
    assert registered.startswith("Registered by")
    assert changes_on(as_, "auditor", resource) == [gone, changed, moved, added, registered]
    for who in ("client", "staff", "account_manager"):
        assert changes_on(as_, who, resource) == [moved, registered]


def test_who_only_reads_what_is_asked_is_not_sent_to_the_form(as_: As, address: str, resource: Resource) -> None:
    as_("it").post(address, ASKED)
    link = f'href="{address}"'
    assert link in body(as_("it").get(resource.get_absolute_url()))
    assert link not in body(as_("auditor").get(resource.get_absolute_url()))
    assert as_("auditor").get(address).status_code == 403


def test_of_many_changes_the_newest_are_shown(as_: As, address: str, resource: Resource, news: Resource) -> None:
    as_("it").post(reverse("asking", args=[news.pk]), ASKED | {"text": "SELECT 'news' FROM orders"})
    for number in range(1, 13):
        as_("it").post(address, ASKED | {"text": f"SELECT {number} FROM orders"})
    ApplicationCheck.history.filter(text="SELECT 12 FROM orders").update(
        history_date=timezone.now() - timedelta(days=9)
    )
    shown = changes_on(as_, "it", resource)
    assert len(shown) == 10
    assert "what: SELECT 10 FROM orders → SELECT 11 FROM orders" in shown[0]
    assert not [entry for entry in shown if "SELECT 12" in entry or "news" in entry]
