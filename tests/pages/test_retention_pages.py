"""The pages of retention: its runs, what each deletes and why, a person's decision, and what would go next."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from backups.actions.retaining import plan_retention, planned_deletions
from backups.models import Backup, Deletion, DeletionStatus, Resource, RetentionClock, RetentionRun, RunStatus
from backups.upcoming import upcoming_deletions
from portal.words import company_zone
from tests.factories import Cast, make_backup, make_hold, make_resource
from tests.pages.conftest import As

RUN_PAGES = ("retention_run", "retention_carry_on", "retention_refuse")
SEES = ("it", "auditor", "administrator")
SEES_NOT = ("client", "colleague", "staff", "account_manager", "media_client", "nobody")


@pytest.fixture
def over(resource: Resource, now: datetime) -> list[Backup]:
    """Ten backups of one moment of one day, of which the first and the last are kept: a great share of all goes."""
    return [make_backup(resource, now - timedelta(hours=3, milliseconds=number)) for number in range(10)]


@pytest.fixture
def stopped(over: list[Backup], now: datetime) -> RetentionRun:
    run = plan_retention(now=now)
    assert run is not None
    assert run.status == RunStatus.STOPPED
    return run


def make_run(now: datetime, **facts: Any) -> RetentionRun:
    values = {"status": "done", "copies_before": 50, "to_delete": 1, "limit_percent": 20, "finished_at": now}
    return RetentionRun.objects.create(planned_at=now, **(values | facts))


def where(page: str, run: RetentionRun) -> str:
    return reverse(page, args=[run.pk] if page in RUN_PAGES else [])


def body(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status
    shown: str = answer.content.decode()
    return shown


@pytest.mark.parametrize("page", ["retention", "retention_run", "retention_next"])
def test_who_sees_it(as_: As, stopped: RetentionRun, page: str) -> None:
    for who in SEES:
        assert as_(who).get(where(page, stopped)).status_code == 200
    for who in SEES_NOT:
        shown = body(as_(who).get(where(page, stopped)), 403)
        assert "The compliance of the whole company is for IT and auditors." in shown
        assert "shop-db" not in shown
    assert as_("").get(where(page, stopped))["Location"].startswith(reverse("account_login"))
    assert as_("it").put(where(page, stopped)).status_code == 405


def test_on_a_phone_every_value_of_a_copy_or_a_resource_has_the_name_of_its_column(
    as_: As, stopped: RetentionRun
) -> None:
    """There the rows become lists, and the head of the table is not seen."""
    pages = (where("retention_run", stopped), where("retention_next", stopped), "/what-if/?daily=2")
    tables = [
        (page, table)
        for page in pages
        for table in re.findall('<table class="[^"]*table-stacked.*?</table>', body(as_("it").get(page)), re.DOTALL)
    ]
    assert len(tables) == 4
    for page, table in tables:
        columns = re.findall('<th scope="col"[^>]*>([^<]+)</th>', table)
        for row in re.findall("<tr>(.*?)</tr>", table, re.DOTALL)[1:]:
            labels = re.findall('<td data-label="([^"]+)"', row)
            assert labels == columns[-len(labels) :], page
            assert row.count("<td") == len(labels) >= 3, page


def test_a_stopped_run_says_why_it_waits_and_shows_its_plan_copy_by_copy(as_: As, stopped: RetentionRun) -> None:
    answer = as_("it").get(where("retention_run", stopped))
    shown = body(answer)
    sentence = (
        "It would delete 8 of 10 copies. That is 80 % of all within a day, and more than 20 % is never deleted without a"
        " person’s word. So nothing was deleted."
    )
    assert sentence in shown
    assert len(answer.context["rows"]) == 8
    assert shown.count("A newer backup of the same day is kept") == 8
    assert "Delete 8 copies</button>" in shown
    assert "Let it delete…" in shown
    assert '<span class="count">1<span class="visually-hidden"> to decide' in shown
    for who in ("auditor", "administrator"):
        seen = body(as_(who).get(where("retention_run", stopped)))
        assert sentence in seen
        assert "Let it delete…" not in seen
        assert "to decide" not in seen


def test_it_lets_it_delete_with_a_reason(as_: As, cast: Cast, stopped: RetentionRun) -> None:
    address = where("retention_carry_on", stopped)
    missing = as_("it").post(address, {"reason": " "})
    assert "Say why: the reason is kept with the run." in body(missing, 400)
    assert 'aria-labelledby="carry-on-title" open' in missing.content.decode()
    assert as_("it").post(address, {"reason": "The month was copied twice."})["Location"] == stopped.get_absolute_url()
    stopped.refresh_from_db()
    assert (stopped.status, stopped.decided_by) == (RunStatus.APPLYING, cast.it)
    shown = body(as_("auditor").get(stopped.get_absolute_url()))
    assert "On the word of Ivan" in shown
    assert "The month was copied twice." in shown
    again = as_("second_it").post(where("retention_refuse", stopped), {"reason": "No."})
    assert "This run is deleting: there is nothing to decide." in body(again, 409)


def test_it_refuses_and_nothing_is_deleted(as_: As, cast: Cast, stopped: RetentionRun) -> None:
    missing = as_("it").post(where("retention_refuse", stopped), {})
    assert 'aria-labelledby="refuse-title" open' in body(missing, 400)
    as_("it").post(where("retention_refuse", stopped), {"reason": "The clock was wrong."})
    stopped.refresh_from_db()
    assert (stopped.status, stopped.decided_by, stopped.reason) == (RunStatus.REFUSED, cast.it, "The clock was wrong.")
    assert not Deletion.objects.exclude(status=DeletionStatus.PLANNED).exists()
    assert "It was refused, so nothing was deleted." in body(as_("auditor").get(stopped.get_absolute_url()))


@pytest.mark.parametrize("page", ["retention_carry_on", "retention_refuse"])
def test_deciding_is_for_it(as_: As, stopped: RetentionRun, page: str) -> None:
    for who in ("auditor", "administrator"):
        assert "Only IT decides about stopped runs." in body(as_(who).post(where(page, stopped), {"reason": "x"}), 403)
    for who in SEES_NOT:
        assert as_(who).post(where(page, stopped), {"reason": "x"}).status_code == 403
    assert as_("it").get(where(page, stopped)).status_code == 405
    assert as_("").post(where(page, stopped))["Location"].startswith(reverse("account_login"))
    stopped.refresh_from_db()
    assert stopped.status == RunStatus.STOPPED


def test_the_list_tells_of_each_run_what_was_deleted_and_what_was_kept_after_all(
    as_: As, cast: Cast, over: list[Backup], now: datetime
) -> None:
    run = make_run(now, to_delete=3)
    for number, (status, kept) in enumerate([("deleted", ""), ("deleted", ""), ("kept", "the latest monthly")]):
        Deletion.objects.create(
            run=run, copy=over[number].copies.get(), why="its day", status=status, kept_because=kept, done_at=now
        )
    removal = make_run(
        now + timedelta(seconds=1),
        resource=over[0].resource,
        decided_by=cast.it,
        decided_at=now,
        reason="The shop was closed.",
    )
    answer = as_("auditor").get("/retention/")
    assert [row["run"] for row in answer.context["rows"]] == [removal, run]
    assert answer.context["rows"][1]["counts"] == {"deleted": 2, "kept": 1}
    assert "the removal of shop-db" in body(answer)
    only_kept = as_("auditor").get(f"{run.get_absolute_url()}?status=kept")
    assert len(only_kept.context["rows"]) == 1
    assert "Kept: the latest monthly" in body(only_kept)
    assert "None" in body(as_("auditor").get(f"{run.get_absolute_url()}?status=planned"))
    assert len(as_("auditor").get(f"{run.get_absolute_url()}?status=\0x").context["rows"]) == 3


def test_runs_and_their_deletions_are_paged(as_: As, resource: Resource, now: datetime) -> None:
    made = [make_run(now - timedelta(hours=number)).pk for number in range(65)]
    run = RetentionRun.objects.get(pk=made[0])
    for number in range(120):
        copy = make_backup(resource, now - timedelta(minutes=number)).copies.get()
        Deletion.objects.create(run=run, copy=copy, why="over", status="deleted", done_at=now)
    browser = as_("it")
    for address, expected in (
        ("/retention/", made),
        (run.get_absolute_url(), list(run.deletions.values_list("pk", flat=True))),
    ):
        seen, after = [], ""
        while True:
            answer = browser.get(address, {"after": after})
            seen += [row["run" if address == "/retention/" else "deletion"].pk for row in answer.context["rows"]]
            after = answer.context["page"].next
            if not after:
                break
        assert seen == expected


def test_what_would_go_now_and_letting_it_go(as_: As, cast: Cast, resource: Resource, now: datetime) -> None:
    browser = as_("it")
    assert "Nothing would go" in body(browser.get("/retention/next/"))
    assert "There is nothing to delete" in body(browser.post("/retention/next/"), 409)
    twice = 2 if (now - timedelta(days=2, hours=3)).astimezone(company_zone()).day > 1 else 3  # not a month's first
    for days in range(6):
        for _ in range(3 if days == twice else 1):
            make_backup(resource, now - timedelta(days=days, hours=3))
    answer = browser.get("/retention/next/")
    assert (answer.context["upcoming"].copies, answer.context["upcoming"].looked_at) == (2, 1)
    shown = body(answer)
    assert "Delete 2 copies now</button>" in shown
    assert "Shopco" in shown
    assert not RetentionRun.objects.exists()
    assert "Delete 2 copies now" not in body(as_("auditor").get("/retention/next/"))
    assert "Only IT runs retention." in body(as_("auditor").post("/retention/next/"), 403)
    run_page = browser.post("/retention/next/")["Location"]
    run = RetentionRun.objects.get()
    assert (run_page, run.to_delete, run.status) == (run.get_absolute_url(), 2, RunStatus.APPLYING)
    assert run.history.get().history_user == cast.it


def test_a_person_cannot_get_around_the_limit_by_running_it_now(as_: As, over: list[Backup]) -> None:
    as_("it").post("/retention/next/")
    assert RetentionRun.objects.get().status == RunStatus.STOPPED
    again = as_("it").post("/retention/next/")
    assert "A run was stopped and waits for a decision. Decide about that one first." in body(again, 409)


def test_where_looking_at_all_takes_too_long_the_page_says_how_far_it_looked(
    cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backups.upcoming.CHUNK", 2)
    for _ in range(5):
        resource = make_resource(cast.shop)
        for seconds in range(3):
            make_backup(resource, now - timedelta(hours=3, seconds=seconds))
    ticking = iter(range(0, 1000, 4))
    found = upcoming_deletions(now, at_home_only=False, clock=lambda: next(ticking))
    assert (found.complete, found.looked_at, found.copies) == (False, 4, 4)
    assert upcoming_deletions(now, at_home_only=False).copies == 5


def test_after_a_leap_of_the_clock_it_shows_what_a_run_would_delete_and_by_when(
    as_: As, cast: Cast, over: list[Backup], now: datetime
) -> None:
    make_hold(over[4], cast.it, until=(now - timedelta(days=2)).date())
    RetentionClock.objects.create(reached_at=timezone.now() - timedelta(days=3))
    answer = as_("it").get("/retention/next/")
    assert answer.context["upcoming"].copies == len(list(planned_deletions(timezone.now()))) == 7, (
        "one is held till then"
    )
    assert "The clock is far ahead of where retention last was." in body(answer)
    out = StringIO()
    call_command("policy", "apply", "--dry-run", stdout=out)
    assert "the clock is far ahead of where retention last was" in out.getvalue()


def test_a_constant_number_of_queries(as_: As, cast: Cast, now: datetime) -> None:
    browser, counts = as_("it"), []
    run = make_run(now)
    for number in (2, 12):
        for _ in range(number):
            resource = make_resource(cast.shop)
            gone = make_backup(resource, now - timedelta(hours=3))
            make_backup(resource, now - timedelta(hours=2))
            other = make_run(now, resource=resource, decided_by=cast.it, decided_at=now, reason="x")
            for each in (run, other):
                Deletion.objects.create(run=each, copy=gone.copies.get(), why="x", status="deleted", done_at=now)
        for address in ("/retention/", run.get_absolute_url(), "/retention/next/"):
            with CaptureQueriesContext(connection) as queries:
                assert browser.get(address).status_code == 200
            counts.append(len(queries))
    assert counts[:3] == counts[3:]
    assert max(counts) <= 18
