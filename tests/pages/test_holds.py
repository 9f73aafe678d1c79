"""Holds on the page of a backup: placed and released with a reason, refused with a sentence beside the field."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from backups.models import Backup, CopyState, Hold, Pin, Resource
from portal.days import short_day
from portal.words import company_zone
from tests.factories import Cast, make_backup, make_failed_backup, make_hold, make_open_backup
from tests.pages.conftest import As


@pytest.fixture
def today(now: datetime) -> date:
    return now.astimezone(company_zone()).date()


@pytest.fixture
def held(cast: Cast, backup: Backup, today: date) -> Hold:
    return make_hold(backup, cast.it, until=today + timedelta(days=30))


def place(as_: As, who: str, backup: Backup, **typed: str):
    return as_(who).post(reverse("backup_hold", args=[backup.pk]), typed)


def page(as_: As, who: str, backup: Backup) -> str:
    answer = as_(who).get(f"/backups/{backup.pk}/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_it_holds_a_backup_and_everybody_of_the_client_reads_why(
    as_: As, cast: Cast, backup: Backup, today: date
) -> None:
    until = today + timedelta(days=400)
    answer = place(as_, "it", backup, until=until.isoformat(), reason="Before the migration.")
    assert answer["Location"] == f"/backups/{backup.pk}/"
    hold = backup.holds.get()
    assert (hold.until, hold.placed_by, hold.reason) == (until, cast.it, "Before the migration.")
    assert hold.history.get().history_user == cast.it
    shown = page(as_, "client", backup)
    assert f"Until {short_day(until, today)}" in shown
    assert f"held until {short_day(until, today)} by Ivan: Before the migration" in shown
    assert "Release…" not in shown
    assert "Hold…" not in shown


def test_a_long_story_is_told_whole_only_on_the_backups_own_page(
    as_: As, cast: Cast, backup: Backup, today: date
) -> None:
    story = "Evidence & <b>proof</b> for the court. " * 40 + "The end of the story."
    make_hold(backup, cast.it, until=today + timedelta(days=30), reason=story)
    shown = as_("client").get(backup.resource.get_absolute_url()).content.decode()
    assert "by Ivan: Evidence &amp; &lt;b&gt;proof&lt;/b&gt; for the court." in shown
    assert "…; until " in shown, "the day is said all the same"
    assert "The end of the story" not in shown
    assert "The end of the story; until" in page(as_, "client", backup)
    going = as_("it").get(reverse("resource_remove", args=[backup.resource_id])).content.decode()
    assert "for the court" in going
    assert "The end of the story" not in going
    told = as_("client").get(f"/api/backups/{backup.pk}/").json()
    assert any(reason.endswith("The end of the story.") for reason in told["reasons"])


@pytest.mark.parametrize(
    ("until", "reason", "field", "sentence"),
    [
        ("{yesterday}", "x", "until", "is over already. Name the last day"),
        ("{eleven_years}", "x", "until", "A hold lasts ten years at most. Name an earlier day."),
        ("9999-12-31", "x", "until", "A hold lasts ten years at most."),
        ("", "x", "until", "Name the last day on which the backup must be there."),
        ("31.12.2026", "x", "until", "Enter a day, such as 2026-12-01."),
        ("2026-02-30", "x", "until", "Enter a day, such as 2026-12-01."),
        ("{tomorrow}", "", "reason", "Say why the backup is held: it is kept with it."),
        ("{tomorrow}", "\u200b ", "reason", "Say why the backup is held: it is kept with it."),
        ("{tomorrow}", "a\0b", "reason", "Null characters are not allowed."),
        ("{tomorrow}", "x" * 10_001, "reason", "The reason is too long"),
    ],
)
def test_bad_input_comes_back_beside_its_field_in_the_open_dialog(
    as_: As, backup: Backup, today: date, until: str, reason: str, field: str, sentence: str
) -> None:
    days = {"yesterday": -1, "tomorrow": 1, "eleven_years": 11 * 366}
    until = until.format(**{name: (today + timedelta(days=number)).isoformat() for name, number in days.items()})
    answer = place(as_, "it", backup, until=until, reason=reason)
    assert answer.status_code == 400
    errors = answer.context["hold_form"].errors
    assert list(errors) == [field]
    assert sentence in errors[field][0]
    assert 'aria-labelledby="hold-title" open' in answer.content.decode()
    assert not Hold.objects.exists()


def test_all_that_is_missing_is_said_at_once(as_: As, backup: Backup) -> None:
    answer = place(as_, "it", backup)
    assert set(answer.context["hold_form"].errors) == {"until", "reason"}


def test_the_last_day_may_be_today_and_ten_years_from_now(as_: As, backup: Backup, today: date) -> None:
    for until in (today, today.replace(year=today.year + 10, day=min(today.day, 28))):
        assert place(as_, "it", backup, until=until.isoformat(), reason="x").status_code == 302


def test_what_is_deleted_failed_or_under_way_is_not_held(as_: As, resource: Resource, now: datetime) -> None:
    deleted = make_backup(resource, now, regions=(), deleted_at=now)
    failed, running = make_failed_backup(resource, now), make_open_backup(resource, now)
    nothing = "No copy of this backup is left, so there is nothing to hold."
    for backup, sentence in ((deleted, nothing), (failed, nothing), (running, "This backup is not finished yet.")):
        shown = page(as_, "it", backup)
        assert f'aria-disabled="true" title="{sentence}' in shown
        answer = place(as_, "it", backup, until="2999-01-01", reason="x")
        assert answer.status_code == 409
        assert sentence in answer.content.decode()
    assert not Hold.objects.exists()


@pytest.mark.parametrize("who", ["client", "colleague", "staff", "account_manager", "auditor", "administrator"])
def test_holding_and_releasing_are_for_it(as_: As, backup: Backup, held: Hold, who: str, today: date) -> None:
    answer = place(as_, who, backup, until=today.isoformat(), reason="x")
    assert answer.status_code == 403
    assert "Only IT holds backups. Ask IT to do it." in answer.content.decode()
    answer = as_(who).post(reverse("hold_release", args=[held.pk]), {"reason": "x"})
    assert answer.status_code == 403
    assert "Only IT releases holds. Ask IT to do it." in answer.content.decode()
    held.refresh_from_db()
    assert held.released_at is None


def test_strangers_links_and_the_signed_out(as_: As, backup: Backup, held: Hold) -> None:
    for address in (reverse("backup_hold", args=[backup.pk]), reverse("hold_release", args=[held.pk])):
        assert as_("media_client").post(address, {"reason": "x"}).status_code == 404
        assert as_("it").get(address).status_code == 405
        assert as_("").post(address)["Location"].startswith(reverse("account_login"))


def test_releasing_needs_a_reason_and_is_done_once(as_: As, cast: Cast, backup: Backup, held: Hold) -> None:
    address = reverse("hold_release", args=[held.pk])
    answer = as_("second_it").post(address, {"reason": " "})
    assert answer.status_code == 400
    assert "Say why the hold ends: it is kept with it." in answer.content.decode()
    assert f'aria-labelledby="release-{held.pk}-title" open' in answer.content.decode()
    assert as_("second_it").post(address, {"reason": "The migration is done."}).status_code == 302
    held.refresh_from_db()
    assert (held.released_by, held.release_reason) == (cast.second_it, "The migration is done.")
    again = as_("it").post(address, {"reason": "again"})
    assert (again.status_code, "This hold was released already." in again.content.decode()) == (409, True)
    shown = page(as_, "client", backup)
    assert "by Iris" in shown
    assert "The migration is done." in shown
    assert "held until" not in shown.partition("Holds</h2>")[0]


def test_a_hold_that_is_over_says_so_and_is_not_offered_for_release(
    as_: As, cast: Cast, backup: Backup, today: date
) -> None:
    make_hold(backup, cast.it, until=today - timedelta(days=1))
    shown = page(as_, "it", backup)
    assert "Over since" in shown
    assert "Release…" not in shown


def test_the_page_says_why_each_copy_stays_when_it_was_read_and_what_uses_the_backup(
    as_: As, resource: Resource, now: datetime
) -> None:
    backup = make_backup(resource, now - timedelta(hours=3), regions=("eu-central-1", "eu-west-1"))
    backup.copies.filter(region="eu-west-1").update(checksum_at=now - timedelta(hours=1), proof=2)
    Pin.objects.create(backup=backup, label="RR-1042", since=now)
    shown = page(as_, "client", backup)
    assert "daily of" in shown
    assert "only good backup" in shown
    assert "pinned by RR-1042" in shown
    assert f'href="{reverse("requests")}?q=RR-1042"' in shown
    assert "Stays: the latest monthly, in the other region." in shown
    assert "Stays: a copy of a backup that is kept." in shown
    assert shown.count("Checksum last read: ") == 2
    assert "not since it was written" in shown
    backup.copies.filter(region="eu-west-1").update(
        state=CopyState.DAMAGED, damaged_at=now, damage="The checksum of data.zst does not hold."
    )
    assert "The checksum of data.zst does not hold." in page(as_, "client", backup)


def test_a_constant_number_of_queries(as_: As, cast: Cast, backup: Backup, today: date, now: datetime) -> None:
    browser, counts = as_("it"), []
    for number in (1, 6):
        for day in range(number):
            make_hold(backup, cast.it, until=today + timedelta(days=day))
            Pin.objects.create(backup=backup, label=f"RR-{number}{day}", since=now)
            make_backup(backup.resource, now - timedelta(days=day + 1, minutes=number))
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(f"/backups/{backup.pk}/").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 22
