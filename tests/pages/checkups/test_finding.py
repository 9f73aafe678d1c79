"""The page of one resource in a checkup: its checks and tries, checking again, its task."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from backups.models import Backup, Resource
from checkups.models import Check, Checkup, CheckupFinding
from checkups.outcomes import Fault
from checkups.workflow import Status
from tests.checkup_rows import make_ready
from tests.factories import Cast, make_backup
from tests.pages.checkups.conftest import HOME, OTHER, As, body

TOMORROW = (timezone.now() + timedelta(days=2)).date().isoformat()


@pytest.fixture
def page(ready: Checkup, failed: CheckupFinding) -> str:
    return reverse("checkup_finding", args=[ready.pk, failed.pk])


def test_each_check_with_all_that_was_tried(as_: As, page: str, failed: CheckupFinding) -> None:
    shown = body(as_("auditor").get(page))
    assert "Latest daily, which is also the latest monthly" in shown
    assert "Copy in the other region" in shown
    assert "3 files differ from the manifest of shop-db." in shown
    assert "A complete restore stands in scratch" in shown
    assert "restored and compared in 12" in shown
    assert "Check again…" not in shown
    assert "<code>/srv/scratch/secret-path</code>, removed" in shown
    for check in failed.checks.all():
        assert reverse("backup", args=[check.backup_id]) in shown
    assert "Check again…" in body(as_("it").get(page))


def test_it_has_it_checked_again_with_the_same_backups(
    as_: As, page: str, ready: Checkup, failed: CheckupFinding
) -> None:
    shown = body(as_("it").post(f"{page}again/", {"which": "same", "reason": "The disk was full."}, follow=True))
    assert "It is checked again as soon as a worker is free." in shown
    assert f'hx-get="{page}live/"' in shown
    ready.refresh_from_db()
    assert ready.status == "running"
    assert failed.checks.filter(status="waiting").count() == 1
    assert "Waiting" in body(as_("auditor").get(f"{page}live/"))
    Check.objects.filter(finding=failed).update(status="passed", reached=4)
    assert as_("auditor").get(f"{page}live/")["HX-Refresh"] == "true"


def test_or_with_newer_ones_where_there_are_any(as_: As, page: str, failed: CheckupFinding) -> None:
    shown = body(as_("it").post(f"{page}again/", {"which": "newest"}), 409)
    assert "There is no newer backup that could be checked" in shown
    assert 'aria-labelledby="act-again-title" open' in shown
    newer: Backup = make_backup(failed.resource, timezone.now() - timedelta(minutes=9), regions=(HOME, OTHER))
    body(as_("it").post(f"{page}again/", {"which": "newest"}, follow=True))
    assert failed.checks.get(status="waiting", what="daily").backup == newer


def test_all_that_could_not_be_tried_is_tried_again_at_once(
    as_: As, cast: Cast, ready: Checkup, news: Resource
) -> None:
    words = "Check again what could not be tried"
    assert words not in body(as_("it").get(ready.get_absolute_url()))
    away = make_ready(cast.it, [news], failing={"news-db"}, fault=Fault.AWAY, on=date(2026, 5, 17))
    assert words in body(as_("it").get(away.get_absolute_url()))
    assert words not in body(as_("auditor").get(away.get_absolute_url()))
    where = reverse("checkup_check_again", args=[away.pk])
    assert as_("auditor").post(where).status_code == 403
    assert as_("client").post(where).status_code == 404
    assert as_("it").post(where).status_code == 302
    assert Checkup.objects.get(pk=away.pk).state is Status.RUNNING
    shown = body(as_("it").get(away.get_absolute_url()))
    assert "Ivan had 1 resource checked again that could not be tried" in shown


def test_what_passed_is_not_checked_again(as_: As, ready: Checkup) -> None:
    passed = reverse("finding_check_again", args=[ready.pk, ready.findings.get(name="news-db").pk])
    assert "Only what failed is checked again." in body(as_("it").post(passed, {"which": "same"}), 409)
    assert "Choose which backups are tried." in body(as_("it").post(passed, {}), 400)
    assert "Choose one of the two." in body(as_("it").post(passed, {"which": "x"}), 400)


def test_handing_the_task_on(as_: As, cast: Cast, page: str, failed: CheckupFinding) -> None:
    address = f"{page}hand-on/"
    for typed, sentence in (
        ({"owner": cast.second_it.pk, "due_on": TOMORROW, "reason": ""}, "Say why: the reason is kept with the task."),
        ({"owner": cast.client.pk, "due_on": TOMORROW, "reason": "I am away."}, "Choose a person of IT."),
        ({"owner": cast.second_it.pk, "due_on": "2020-01-01", "reason": "I am away."}, "This day is over."),
        ({"owner": cast.second_it.pk, "due_on": "", "reason": "I am away."}, "Choose a day."),
    ):
        shown = body(as_("it").post(address, typed), 400)
        assert sentence in shown
        assert 'aria-labelledby="act-hand_on-title" open' in shown
    typed = {"owner": cast.second_it.pk, "due_on": TOMORROW, "reason": "I am away."}
    shown = body(as_("it").post(address, typed, follow=True))
    assert "Iris has the task now, until" in shown
    failed.task.refresh_from_db()
    assert failed.task.owner == cast.second_it
    assert f'href="{page}"' in body(as_("second_it").get("/")), "her start page has it"


def test_saying_how_it_ended(as_: As, page: str) -> None:
    shown = body(as_("it").post(f"{page}done/", {"outcome": "x"}), 400)
    assert "Say how it ended: that is kept with the finding." in shown
    shown = body(as_("it").post(f"{page}done/", {"outcome": "It was backed up anew."}, follow=True))
    assert "It was backed up anew." in shown
    assert "Hand on…" not in shown
    again = as_("it").post(f"{page}done/", {"outcome": "It was backed up anew."})
    assert "This task is done already." in body(again, 409)


def test_after_the_seal_the_task_goes_on_but_nothing_is_checked_again(
    as_: As, cast: Cast, ready: Checkup, page: str
) -> None:
    from checkups.actions.signing import sign, standing

    for person in (cast.it, cast.second_it):
        ready.refresh_from_db()
        sign(by=person, checkup=ready, digest=standing(ready).digest, statement="It is seen to.")
    shown = body(as_("it").get(page))
    assert "what it found stays as it is. Test a backup" in shown
    assert "is signed: what it found stays as it is." in body(as_("it").post(f"{page}again/", {"which": "same"}), 409)
    body(as_("it").post(f"{page}done/", {"outcome": "It was backed up anew."}, follow=True))


def test_a_finding_without_a_task_has_nothing_to_hand_on(as_: As, ready: Checkup) -> None:
    passed = ready.findings.get(name="news-db").pk
    for name in ("checkup_task_hand_on", "checkup_task_done"):
        typed = {"outcome": "It was mended.", "owner": "1"}
        assert as_("it").post(reverse(name, args=[ready.pk, passed]), typed).status_code in {400, 404}
