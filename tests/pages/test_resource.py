"""The page of a resource, of a backup, and what can be done there."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from backups.models import Backup, BackupStatus, Resource, ResourceState
from portal.history import acting
from portal.words import exact_time
from tests.factories import Cast, make_backup, make_failed_backup, make_open_backup, make_request
from tests.pages.conftest import As


def page(as_: As, who: str, resource: Resource, query: str = "") -> str:
    answer = as_(who).get(f"/resources/{resource.pk}/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_each_good_backup_can_be_asked_for(as_: As, resource: Resource, backup: Backup, now: datetime) -> None:
    failed = make_failed_backup(resource, now - timedelta(hours=1))
    damaged = make_backup(resource, now - timedelta(days=1), damaged_at=now, damage="Its checksum does not hold.")
    deleted = make_backup(resource, now - timedelta(days=2), regions=())
    shown = page(as_, "client", resource)
    ask = reverse("request_new")
    assert f'href="{ask}?backup={backup.pk}"' in shown
    for other in (failed, damaged, deleted):
        assert f"?backup={other.pk}" not in shown
    assert "The database does not answer." in shown
    assert "Its checksum does not hold." in shown
    assert "connection refused" not in shown


def test_on_a_phone_each_row_names_what_it_says(as_: As, resource: Resource, backup: Backup) -> None:
    table = as_("it").get(f"/resources/{resource.pk}/").content.decode().partition("<tbody data-keys>")[2]
    assert 'data-label="State"' in table
    assert 'data-label="Proof"' in table


def test_a_screen_reader_hears_which_backup_a_button_restores(as_: As, resource: Resource, backup: Backup) -> None:
    shown = page(as_, "client", resource)
    (said,) = re.findall(r'Restore…<span class="visually-hidden">(.*?)</a>', shown)
    assert exact_time(backup.taken_at, timezone.now()) in said


def test_those_who_cannot_ask_are_not_offered_to(as_: As, resource: Resource, backup: Backup) -> None:
    assert "Restore…" not in page(as_, "auditor", resource)
    assert "Ask for a restore" not in page(as_, "account_manager", resource)


def test_settings_are_for_those_who_see_technical_things(as_: As, resource: Resource) -> None:
    with acting(None, "moved"):
        resource.settings = {"host": "db2.internal", "dbname": "shop"}
        resource.locator = "elsewhere:5432/shop"
        resource.save()
    for who, sees in {"client": False, "staff": False, "it": True, "auditor": True}.items():
        shown = page(as_, who, resource)
        assert ("db2.internal" in shown) is sees, who
        assert ("elsewhere:5432/shop" in shown) is sees, who
        assert ("db.internal" in shown) is sees, who


def test_changes_say_who_what_and_why(as_: As, cast: Cast, resource: Resource) -> None:
    with acting(cast.it, "The new shop went live."):
        resource.environment = "staging"
        resource.save()
    shown = page(as_, "client", resource)
    assert "Changed by Ivan" in shown
    assert "production → staging" in shown
    assert "The new shop went live." in shown


def test_a_constant_number_of_queries(as_: As, cast: Cast, resource: Resource, backup: Backup, now: datetime) -> None:
    browser, counts = as_("it"), []
    for days in (range(1, 5), range(5, 40)):
        for day in days:
            made = make_backup(resource, now - timedelta(days=day), regions=("eu-central-1", "eu-west-1"))
            make_request(made, cast.client)
        resource.save()
        with CaptureQueriesContext(connection) as queries:
            browser.get(f"/resources/{resource.pk}/")
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 30


def test_backups_are_paged(as_: As, resource: Resource, now: datetime) -> None:
    made = [make_backup(resource, now - timedelta(days=day)).pk for day in range(45)]
    browser, seen, after = as_("client"), [], ""
    while True:
        answer = browser.get(f"/resources/{resource.pk}/?after={after}")
        seen += [row["backup"].pk for row in answer.context["rows"]]
        after = answer.context["page"].next
        if not after:
            break
    assert seen == made


def test_the_chart_needs_two_backups(as_: As, resource: Resource, backup: Backup, now: datetime) -> None:
    assert "Size of its backups" not in page(as_, "client", resource)
    make_backup(resource, now - timedelta(days=1), stored_bytes=900_000_000)
    shown = page(as_, "client", resource)
    assert 'role="img" aria-labelledby="chart-title chart-description"' in shown
    assert "the largest had 1.8\N{NO-BREAK SPACE}GB" in shown


def test_of_what_is_not_found_no_backup_is_promised(as_: As, resource: Resource, now: datetime) -> None:
    resource.next_backup_at = now + timedelta(hours=13, minutes=30)
    resource.save()
    assert "None can be taken" not in page(as_, "client", resource)
    resource.state = ResourceState.VANISHED
    resource.save()
    [said] = re.findall("<dt>Next backup</dt><dd>(.*?)</dd>", page(as_, "client", resource))
    assert strip_tags(said).startswith("None can be taken while it is not found; looked for again in 13")


def test_back_up_now(as_: As, cast: Cast, resource: Resource) -> None:
    answer = as_("staff").post(f"/resources/{resource.pk}/back-up/", {"reason": "before the release"})
    made = resource.backups.get()
    assert (made.status, made.reason, made.requested_by) == (BackupStatus.QUEUED, "before the release", cast.staff)
    assert answer["Location"] == reverse("backup", args=[made.pk])


def test_back_up_now_wants_a_reason(as_: As, resource: Resource) -> None:
    answer = as_("it").post(f"/resources/{resource.pk}/back-up/", {"reason": "  "})
    assert answer.status_code == 400
    shown = answer.content.decode()
    assert "Say why the backup is taken: it is kept with it." in shown
    assert 'aria-labelledby="back-up-title" open' in shown
    assert not resource.backups.exists()


def test_one_backup_at_a_time(as_: As, resource: Resource, now: datetime) -> None:
    make_open_backup(resource, now)
    sentence = "A backup of shop-db is under way already. Wait until it is finished."
    shown = page(as_, "it", resource)
    assert f'aria-disabled="true" title="{sentence}"' in shown
    answer = as_("it").post(f"/resources/{resource.pk}/back-up/", {"reason": "again"})
    assert answer.status_code == 409
    assert sentence in answer.content.decode()


def test_a_running_backup_is_followed_until_it_ends(as_: As, resource: Resource, now: datetime) -> None:
    running = make_open_backup(resource, now, bytes_done=412_000_000, bytes_expected=1_800_000_000)
    browser, live = as_("client"), reverse("backup_live", args=[running.pk])
    assert f'hx-get="{live}?seen=running"' in browser.get(f"/backups/{running.pk}/").content.decode()
    assert browser.get(f"{live}?seen=queued")["HX-Refresh"] == "true", "its head changes when it begins"
    part = browser.get(live, headers={"HX-Request": "true"}).content.decode()
    assert f'hx-get="{live}?seen=running"' in part
    assert 'value="412000000" max="1800000000"' in part
    assert "22 %" in part
    Backup.objects.filter(pk=running.pk).update(status="failed", error="It stopped.", finished_at=now)
    assert browser.get(live, headers={"HX-Request": "true"})["HX-Refresh"] == "true"
    assert "hx-get" not in browser.get(f"/backups/{running.pk}/").content.decode()


def test_a_failed_backup_says_why_and_it_sees_more(as_: As, resource: Resource, now: datetime) -> None:
    failed = make_failed_backup(resource, now)
    shown = {who: as_(who).get(f"/backups/{failed.pk}/").content.decode() for who in ("client", "it")}
    assert "The database does not answer." in shown["client"]
    assert "connection refused" not in shown["client"]
    assert "connection refused" in shown["it"]


def test_a_backup_says_how_far_it_is_proven(as_: As, backup: Backup) -> None:
    shown = as_("client").get(f"/backups/{backup.pk}/").content.decode()
    assert "Proof: present" in shown
    assert "The store has it, in its full size." in shown
    assert backup.checksum not in shown
    assert backup.checksum in as_("it").get(f"/backups/{backup.pk}/").content.decode()
