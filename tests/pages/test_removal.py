"""Removing a resource by the page: the exact list, the typed name, what is said afterwards, and bringing it back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from backups.actions.removing import removal_plan
from backups.models import BackupOrigin, Deletion, Environment, Pin, Resource, ResourceState, RetentionRun
from backups.retention import KEPT_DAILY, kept_until
from portal.days import short_day
from portal.words import company_zone
from tests.factories import (
    Cast,
    make_backup,
    make_failed_backup,
    make_hold,
    make_open_backup,
    make_removed,
    make_resource,
)
from tests.pages.conftest import As

BOTH = ("eu-central-1", "eu-west-1")


@pytest.fixture
def history(resource: Resource, now: datetime) -> list[int]:
    """Four days of backups, the newest three hours old and copied to the other region."""
    return [
        make_backup(resource, now - timedelta(days=days, hours=3), regions=BOTH if not days else BOTH[:1]).pk
        for days in range(4)
    ]


def address(resource: Resource) -> str:
    return reverse("resource_remove", args=[resource.pk])


def typed(resource: Resource, now: datetime, **changes: str) -> dict[str, str]:
    digest = removal_plan(resource, now).digest
    return {"digest": digest, "typed_name": resource.name, "reason": "The shop was closed."} | changes


def body(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status
    shown: str = answer.content.decode()
    return shown


def test_the_page_shows_exactly_what_goes_and_what_stays(
    as_: As, cast: Cast, resource: Resource, history: list[int], now: datetime
) -> None:
    make_hold(resource.backups.get(pk=history[2]), cast.it, until=now.date() + timedelta(days=90))
    answer = as_("it").get(address(resource))
    words = answer.context["words"]
    assert [backup.id for backup in words.going] == [history[1], history[3]]
    assert {backup.id: verdict.reasons[0] for backup, verdict in words.staying} == {
        history[0]: KEPT_DAILY,
        history[
            2
        ]: f"held until {short_day(now.date() + timedelta(days=90), now.date())} by Ivan: Before the migration.",
    }
    shown = body(answer)
    assert "Remove shop-db and delete 2 backups</button>" in shown
    assert "3 copies" in shown, "the one in the other region goes as well"
    assert "A final backup is taken first" not in shown
    assert f"until {short_day(kept_until(now, company_zone()), now.date())}" in shown


def test_removing_does_it_and_the_page_tells_who_when_why_and_what_is_kept(
    as_: As, cast: Cast, resource: Resource, history: list[int], now: datetime
) -> None:
    answer = as_("it").post(address(resource), typed(resource, now))
    assert answer["Location"] == resource.get_absolute_url()
    resource.refresh_from_db()
    assert (resource.state, resource.removed_by) == (ResourceState.REMOVED, cast.it)
    run = RetentionRun.objects.get()
    assert (run.resource, run.to_delete, run.decided_by) == (resource, 4, cast.it)
    shown = body(as_("client").get(resource.get_absolute_url()))
    until = short_day(kept_until(now, company_zone()), now.date())
    assert "by Ivan:</strong> The shop was closed." in shown
    assert f"Kept until {until}." in shown
    assert "Bring back" not in shown
    assert "Bring back…" in body(as_("it").get(resource.get_absolute_url()))
    listed = body(as_("client").get("/resources/?state=removed"))
    assert "shop-db" in listed
    assert f"Kept until {until}" in listed
    assert "shop-db" not in body(as_("client").get("/resources/"))


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"typed_name": "shop"}, "typed_name", "Type the name shop-db to confirm that this is the one."),
        ({"typed_name": ""}, "typed_name", "Type the name shop-db to confirm that this is the one."),
        ({"reason": " "}, "reason", "Say why the resource is removed: it is kept with it."),
    ],
)
def test_what_is_missing_is_said_beside_its_field(
    as_: As, resource: Resource, history: list[int], now: datetime, change: dict[str, str], field: str, sentence: str
) -> None:
    answer = as_("it").post(address(resource), typed(resource, now, **change))
    shown = body(answer, 400)
    assert sentence in shown
    assert "Type shop-db to confirm" in shown
    assert list(answer.context["form"].errors) == [field]
    resource.refresh_from_db()
    assert resource.state == ResourceState.ACTIVE


def test_a_list_that_has_changed_comes_back_new_with_the_sentence(
    as_: As, resource: Resource, history: list[int], now: datetime
) -> None:
    seen = typed(resource, now)
    newer = make_backup(resource, now - timedelta(minutes=5))
    answer = as_("it").post(address(resource), seen)
    shown = body(answer, 409)
    assert "Its backups have changed since you looked. Look at the list again, then confirm it." in shown
    assert [backup.id for backup, _ in answer.context["words"].staying] == [newer.pk]
    assert "Remove shop-db and delete 4 backups</button>" in shown
    assert "The shop was closed." in shown, "what was typed is not lost"
    digest = answer.context["plan"].digest
    assert f'name="digest" value="{digest}"' in shown
    assert as_("it").post(address(resource), seen | {"digest": digest}).status_code == 302
    assert not Deletion.objects.filter(copy__backup=newer).exists()


def test_an_old_newest_backup_means_a_final_one_first_and_the_page_says_what_if_not(
    as_: As, resource: Resource, now: datetime
) -> None:
    newest = make_backup(resource, now - timedelta(days=3))
    make_backup(resource, now - timedelta(days=4))
    answer = as_("it").get(address(resource))
    shown = body(answer)
    assert "A final backup is taken first, because the newest good one is 3\N{NO-BREAK SPACE}d old." in shown
    assert "the removal goes on, and the backup of" in shown
    assert [backup.id for backup in answer.context["words"].in_case] == [newest.pk]
    assert "Remove shop-db and delete up to 2 backups</button>" in shown
    as_("it").post(address(resource), typed(resource, now))
    resource.refresh_from_db()
    assert resource.state == ResourceState.REMOVING
    assert resource.backups.open().get().origin == BackupOrigin.FINAL
    assert not RetentionRun.objects.exists()
    shown = body(as_("client").get(resource.get_absolute_url()))
    assert "Being removed" in shown
    assert "It is being removed" in shown
    assert 'id="live"' in shown, "the final backup is followed"
    assert "Being removed" in body(as_("client").get("/resources/?state=removing"))
    sentence = "shop-db is being removed: its final backup is the last one."
    assert sentence in body(as_("it").post(f"/resources/{resource.pk}/back-up/", {"reason": "x"}), 409)
    again = as_("it").get(address(resource))
    assert "shop-db is being removed already: its final backup is taken first." in body(again, 409)


def test_without_a_good_backup_nothing_is_deleted_and_the_page_says_so(
    as_: As, resource: Resource, now: datetime
) -> None:
    make_backup(resource, now, damaged_at=now, damage="Torn.").copies.update(state="damaged", damaged_at=now)
    shown = body(as_("it").get(address(resource)))
    assert "There is no good backup of shop-db." in shown
    assert "once the final backup is there" in shown, "what is damaged goes if the final one can be taken"
    assert "Remove shop-db and delete up to 1 backup</button>" in shown.replace("\xa0", " ")
    as_("it").post(address(resource), typed(resource, now))
    assert not Deletion.objects.exists(), "nothing goes before"


def test_of_what_is_not_production_everything_goes(as_: As, cast: Cast, now: datetime) -> None:
    staging = make_resource(cast.shop, "shop-try", environment=Environment.STAGING)
    make_backup(staging, now - timedelta(days=5), regions=BOTH)
    shown = body(as_("it").get(address(staging)))
    assert "shop-try is not production, so all of its backups go at once. It cannot be brought back then." in shown
    assert "Remove shop-try and delete 1 backup</button>" in shown


def test_a_removal_while_a_request_is_open_is_refused_by_its_name(
    as_: As, resource: Resource, history: list[int], now: datetime
) -> None:
    Pin.objects.create(backup_id=history[0], label="RR-1042", since=now)
    sentence = "RR-1042 refers to a backup of shop-db and is not closed. Finish or cancel that first"
    assert sentence in body(as_("it").get(resource.get_absolute_url()))
    assert sentence in body(as_("it").get(address(resource)), 409)
    assert sentence in body(as_("it").post(address(resource), typed(resource, now)), 409)
    resource.refresh_from_db()
    assert resource.state == ResourceState.ACTIVE


@pytest.mark.parametrize("who", ["client", "colleague", "staff", "account_manager", "auditor", "administrator"])
def test_removing_and_bringing_back_are_for_it(
    as_: As, cast: Cast, resource: Resource, history: list[int], now: datetime, who: str
) -> None:
    for answer in (as_(who).get(address(resource)), as_(who).post(address(resource), typed(resource, now))):
        assert "Only IT removes resources. Ask IT to do it." in body(answer, 403)
    assert "Remove…" not in body(as_(who).get(resource.get_absolute_url()))
    gone = make_removed(cast.shop, "gone")
    answer = as_(who).post(reverse("resource_bring_back", args=[gone.pk]), {"reason": "x"})
    assert "Only IT brings resources back. Ask IT to do it." in body(answer, 403)


def test_strangers_links_and_the_signed_out(as_: As, resource: Resource) -> None:
    back = reverse("resource_bring_back", args=[resource.pk])
    for where in (address(resource), back):
        assert as_("media_client").post(where, {"reason": "x"}).status_code == 404
        assert as_("").post(where)["Location"].startswith(reverse("account_login"))
    assert as_("media_client").get(address(resource)).status_code == 404
    assert as_("it").get(back).status_code == 405
    assert as_("it").put(address(resource)).status_code == 405


def test_bringing_back(as_: As, cast: Cast, now: datetime) -> None:
    gone = make_removed(cast.shop, "gone", by=cast.it, kept_until=now.date() + timedelta(days=90))
    make_backup(gone, now - timedelta(days=1))
    where = reverse("resource_bring_back", args=[gone.pk])
    missing = as_("it").post(where, {"reason": ""})
    assert "Say why the resource is brought back: it is kept with it." in body(missing, 400)
    assert 'aria-labelledby="bring-back-title" open' in missing.content.decode()
    assert as_("it").post(where, {"reason": "Wrong one."})["Location"] == gone.get_absolute_url()
    gone.refresh_from_db()
    assert (gone.state, gone.kept_until) == (ResourceState.ACTIVE, None)
    assert gone.next_backup_at is not None
    record = gone.history.latest()
    assert (record.history_user, record.history_change_reason) == (cast.it, "Wrong one.")
    assert "gone is not removed." in body(as_("it").post(where, {"reason": "again"}), 409)


def test_bringing_back_what_cannot_be_is_refused_with_the_reason(as_: As, cast: Cast, now: datetime) -> None:
    nothing_left = make_removed(cast.shop, "gone")
    sentence = "No backup of gone is left, so there is nothing to bring back. Register it as a new resource."
    shown = body(as_("it").get(nothing_left.get_absolute_url()))
    assert f'aria-disabled="true" title="{sentence}"' in shown
    assert "Nothing of it is kept." in shown
    assert sentence in body(
        as_("it").post(reverse("resource_bring_back", args=[nothing_left.pk]), {"reason": "x"}), 409
    )
    taken = make_removed(cast.shop, "shop-pages")
    make_backup(taken, now)
    make_resource(cast.shop, "shop-pages")
    answer = as_("it").post(reverse("resource_bring_back", args=[taken.pk]), {"reason": "x"})
    assert "Shop has another resource named shop-pages by now. Remove that one first." in body(answer, 409)


def test_the_list_of_backups_is_what_is_stored_and_the_others_are_one_click_away(
    as_: As, resource: Resource, history: list[int], now: datetime
) -> None:
    gone = resource.backups.get(pk=history[3])
    gone.copies.update(state="deleted", deleted_at=now)
    gone.deleted_at = now - timedelta(minutes=2)
    gone.save()
    run = RetentionRun.objects.create(
        status="done", planned_at=now, copies_before=9, to_delete=1, limit_percent=20, finished_at=now
    )
    Deletion.objects.create(
        run=run, copy=gone.copies.get(), why="its day and its month have passed", status="deleted", done_at=now
    )
    stored = as_("client").get(resource.get_absolute_url())
    assert [row["backup"].pk for row in stored.context["rows"]] == history[:3]
    assert 'href="?backups=all"' in body(stored)
    everything = as_("client").get(resource.get_absolute_url() + "?backups=all")
    assert [row["backup"].pk for row in everything.context["rows"]] == history
    assert "its day and its month have passed" in body(everything)
    assert "its day and its month have passed" in body(as_("client").get(f"/backups/{gone.pk}/"))


def test_each_stored_backup_says_why_it_is_kept_and_until_when(
    as_: As, resource: Resource, history: list[int], now: datetime
) -> None:
    day = 0 if (now - timedelta(hours=3)).astimezone(company_zone()).day > 1 else 1  # not a month's first
    over = make_backup(resource, now - timedelta(days=day, hours=3, seconds=1))
    answer = as_("client").get(resource.get_absolute_url())
    keepings = {row["backup"].pk: row["keeping"] for row in answer.context["rows"]}
    shown = body(answer)
    for pk in history:
        assert keepings[pk].keep
        assert all(reason in shown for reason in keepings[pk].reasons)
        assert f"until {short_day(keepings[pk].until, now.date())}" in shown
    assert not keepings[over.pk].keep
    assert "Goes with the next retention: a newer backup of the same day is kept" in shown


def test_the_page_says_when_the_next_backup_is_due_and_whether_a_failed_one_is_tried_again(
    as_: As, resource: Resource, now: datetime
) -> None:
    failed = make_failed_backup(resource, now - timedelta(minutes=3), worth_retrying=True)
    Resource.objects.filter(pk=resource.pk).update(next_backup_at=now + timedelta(minutes=12, seconds=30))
    soon = "It is tried again in 12\N{NO-BREAK SPACE}min."
    assert soon in body(as_("client").get(resource.get_absolute_url()))
    assert soon in body(as_("client").get(f"/backups/{failed.pk}/"))
    type(failed).objects.filter(pk=failed.pk).update(worth_retrying=False)
    shown = body(as_("client").get(resource.get_absolute_url()))
    assert "It is not tried again before somebody sees to the cause; the next daily backup is due in 12" in shown
    make_open_backup(resource, now)
    assert "It was tried again since." in body(as_("client").get(f"/backups/{failed.pk}/"))


def test_a_constant_number_of_queries(as_: As, resource: Resource, now: datetime) -> None:
    browser, counts = as_("it"), []
    for days in (range(1, 4), range(4, 30)):
        for day in days:
            make_backup(resource, now - timedelta(days=day), regions=BOTH)
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(address(resource)).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 16
