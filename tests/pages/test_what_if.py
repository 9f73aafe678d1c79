"""What if: the page that plays with the policy against the inventory, and changes nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backups import playing
from backups.actions.retaining import planned_deletions
from backups.models import Backup, Copy, Resource, ResourceState, RetentionRun
from backups.slots import POLICY, Numbers
from backups.what_if import Play
from portal.days import months_later
from portal.words import company_zone
from tests.factories import Cast, make_backup, make_removed, make_resource
from tests.pages.conftest import As

PAGE = "/what-if/"


def days_of_backups(resource: Resource, now: datetime, days: int) -> None:
    for ago in range(days):
        make_backup(resource, now - timedelta(days=ago, minutes=5), stored_bytes=1_000_000)


def rows(answer: Any) -> dict[str, Any]:
    return {row["resource"].name: row["outcome"] for row in answer.context["rows"]}


def in_days(now: datetime, days: int) -> str:
    return str(now.astimezone(company_zone()).date() + timedelta(days=days))


def test_with_nothing_played_it_is_the_present_plan(as_: As, cast: Cast, now: datetime) -> None:
    for name in ("shop-db", "shop-files"):
        days_of_backups(make_resource(cast.shop, name), now, 12)
    total = as_("it").get(PAGE).context["total"]
    deleted = list(planned_deletions(now))
    assert total.then == total.now
    assert total.there.copies == 24
    assert total.now.copies == 24 - len(deleted) + 2  # the latest monthly of each is still to be copied
    assert total.going == len({verdict.backup for _, verdict in deleted})
    assert total.new == 0


def test_fewer_dailies_delete_more_and_nothing_is_changed(as_: As, cast: Cast, now: datetime) -> None:
    resource = make_resource(cast.shop, "shop-db")
    days_of_backups(resource, now, 7)
    answer = as_("auditor").get(f"{PAGE}?daily=2")
    outcome = rows(answer)["shop-db"]
    assert len(outcome.going) == 7 - outcome.then.backups > 0
    shown = answer.content.decode()
    assert f"{len(outcome.going)} backups</strong> of today’s <strong>7</strong> would be deleted" in shown
    assert "less than by the policy today" in shown
    assert (Copy.objects.present().count(), RetentionRun.objects.count()) == (7, 0)
    assert Backup.objects.filter(deleted_at__isnull=False).count() == 0


def test_days_to_come_and_missed_days(as_: As, cast: Cast, now: datetime) -> None:
    days_of_backups(make_resource(cast.shop, "shop-db"), now, 7)
    browser, until = as_("it"), in_days(now, 20)
    lived = rows(browser.get(f"{PAGE}?until={until}"))["shop-db"]
    missed = rows(browser.get(f"{PAGE}?until={until}&missing=21"))["shop-db"]
    days = ",".join(in_days(now, day) for day in range(21))
    assert lived.new >= 7
    assert (missed.new, missed.going) == (0, ())
    assert rows(browser.get(PAGE, {"until": until, "days": days}))["shop-db"].new == 0


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("daily=0", "At least one has to be kept: enter a whole number from 1 to 366."),
        ("daily=-3", "At least one has to be kept"),
        ("daily=367", "That is more than can be played with: enter a whole number from 1 to 366."),
        ("monthly=121", "enter a whole number from 1 to 120."),
        ("elsewhere=3", "enter a whole number from 1 to 2."),
        ("elsewhere=0", "At least one has to be kept"),
        ("monthly=" + "9" * 5000, "Enter a whole number from 1 to 120."),
        ("daily=%00&monthly=²&elsewhere=1.5", "Enter a whole number from 1 to 366."),
        ("daily=", "Enter a whole number from 1 to 366."),
        ("missing=-1", "Enter 0 or more"),
        ("missing=99999", "That is more than can be played with"),
        ("until=2020-02-02", "2020-02-02 is over. Enter today or a day to come."),
        ("until=2026-02-30", "Enter a day as year, month and day"),
        ("until=%00", "Enter a day as year, month and day"),
        ("until=9999-12-31", "That is too far ahead to say."),
        ("until=0001-01-01", "is over."),
        ("days=soon", "“soon” is no day."),
        ("days=2026-02-30", "“2026-02-30” is no day."),
        ("days=2020-01-01", "2020-01-01 is over"),
        ("days=9999-12-31", "Take it out, or look at a later day."),
        ("days=" + "1,2," * 120, "Name at most 100 days."),
        ("days=" + "x" * 3000, "Name at most 100 days."),
    ],
)
def test_what_cannot_be_played_is_refused_in_words(as_: As, resource: Resource, asked: str, said: str) -> None:
    answer = as_("it").get(f"{PAGE}?{asked}")
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert "would be stored" not in answer.content.decode()


def test_the_farthest_day_and_the_largest_numbers_answer(as_: As, backup: Backup, now: datetime) -> None:
    last = months_later(now.astimezone(company_zone()).date(), 24)
    answer = as_("it").get(f"{PAGE}?daily=366&monthly=120&elsewhere=2&until={last}&missing=1")
    assert answer.status_code == 200
    assert rows(answer)["shop-db"].new > 366
    assert as_("it").get(f"{PAGE}?until={last + timedelta(days=1)}").status_code == 400


def test_whose_and_which(as_: As, cast: Cast, now: datetime) -> None:
    days_of_backups(make_resource(cast.shop, "shop-db"), now, 12)
    days_of_backups(make_resource(cast.news, "news-db"), now, 2)
    make_removed(cast.shop, "gone")
    make_backup(make_removed(cast.shop, "left"), now)
    make_resource(cast.shop, "empty", state=ResourceState.VANISHED)
    browser = as_("it")
    for query, expected in {
        "": ["empty", "left", "news-db", "shop-db"],
        f"client={cast.mediaco.pk}": ["news-db"],
        "q=shopco+db": ["shop-db"],
        "show=losing": ["shop-db"],
        "client=x&show=x&after=x&before=%00": ["empty", "left", "news-db", "shop-db"],
    }.items():
        assert list(rows(browser.get(f"{PAGE}?{query}"))) == expected, query
    assert "No resource is left by what you chose" in browser.get(f"{PAGE}?q=nothing").content.decode()
    shown = browser.get(f"{PAGE}?until={in_days(now, 3)}").content.decode()
    assert "vanished: no new backup is assumed" in shown
    assert "removed: no new backup is taken" in shown


def test_pages_keep_what_is_played(as_: As, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(60):
        make_resource(cast.shop, f"shop-{number:02}")
    answer = as_("it").get(f"{PAGE}?daily=3&q=shop")
    following = answer.context["page"].next
    assert f'href="?daily=3&amp;q=shop&amp;after={following}"' in answer.content.decode()
    second = as_("it").get(f"{PAGE}?daily=3&q=shop&after={following}")
    assert next(iter(rows(second))) == "shop-50"
    assert second.context["total"] == answer.context["total"]


def test_more_than_can_be_played_with_at_once_is_said(as_: As, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playing, "MOST_RESOURCES", 3)
    for number in range(5):
        make_resource(cast.shop, f"shop-{number}")
    answer = as_("it").get(PAGE)
    assert list(rows(answer)) == ["shop-0", "shop-1", "shop-2"]
    assert "These are the first 3 of 5 resources, by name." in answer.content.decode()
    assert "These are the first" not in as_("it").get(f"{PAGE}?q=shop-4").content.decode()


def test_the_larger_the_numbers_the_fewer_are_played_with(now: datetime) -> None:
    today = now.astimezone(company_zone()).date()

    def most(days: int, numbers: Numbers = POLICY) -> int:
        return playing.most_resources(Play(now, company_zone(), today + timedelta(days=days), numbers))

    assert most(0) == most(60) == most(720) == 1000
    assert most(0, Numbers(366, 120)) == 1000  # nothing is assumed
    assert most(720, Numbers(366, 120)) == 40_000 // 378


def test_a_constant_number_of_queries(as_: As, cast: Cast, now: datetime) -> None:
    browser, counts = as_("it"), []
    for number in (3, 25):
        for index in range(number):
            days_of_backups(make_resource(cast.shop, f"shop-{number}-{index}"), now, 3)
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(f"{PAGE}?until={in_days(now, 40)}").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 17


def test_an_empty_company(as_: As) -> None:
    assert "No resources yet" in as_("it").get(PAGE).content.decode()
