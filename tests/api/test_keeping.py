"""Why backups are kept, holds, removal, findings and retention runs over the API: the pages' rules and sentences."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from backups.models import Backup, Finding, Hold, Pin, Resource, ResourceState, RetentionRun
from backups.permissions import check_can_decide_run, check_can_hold
from portal.days import short_day
from portal.models import User
from portal.rules import refusal
from portal.words import company_zone
from tests.api.conftest import As, client_of
from tests.factories import Cast, make_backup, make_failed_backup, make_removed


@pytest.fixture
def today() -> date:
    return timezone.now().astimezone(company_zone()).date()


def test_each_backup_says_why_it_is_kept_and_until_when(
    as_: As, cast: Cast, resource: Resource, hold: Hold, backup: Backup, today: date
) -> None:
    failed = make_failed_backup(resource, timezone.now())
    gone = make_backup(resource, timezone.now() - timedelta(days=40), regions=(), deleted_at=timezone.now())
    rows = {row["id"]: row for row in as_("client").get("/api/backups/").json()["results"]}
    kept = rows[backup.pk]
    assert kept["kept"] is True
    assert f"held until {short_day(hold.until, today)} by Ivan: Before the migration." in kept["reasons"]
    assert any(reason.startswith("daily of ") for reason in kept["reasons"])
    assert date.fromisoformat(kept["until"]) >= hold.until
    assert [(one["id"], one["placed_by"]) for one in kept["holds"]] == [(hold.pk, "Ivan")]
    assert (rows[failed.pk]["kept"], rows[failed.pk]["reasons"], rows[failed.pk]["until"]) == (None, [], None)
    assert (rows[gone.pk]["kept"], rows[gone.pk]["until"]) == (False, None)
    assert {row["id"] for row in as_("it").get("/api/backups/?stored=true").json()["results"]} == {backup.pk}
    assert {row["id"] for row in as_("it").get("/api/backups/?stored=false").json()["results"]} == {failed.pk, gone.pk}
    assert as_("it").get("/api/backups/?stored=perhaps").json()["field"] == "stored"


def test_it_holds_and_releases(as_: As, cast: Cast, backup: Backup, today: date) -> None:
    address, until = f"/api/backups/{backup.pk}/hold/", (today + timedelta(days=30)).isoformat()
    answer = as_("it").post(address, {"until": until, "reason": "Before the migration."})
    assert answer.status_code == 201
    made = answer.json()
    assert (made["backup"], made["until"], made["placed_by"], made["released_at"]) == (backup.pk, until, "Ivan", None)
    assert as_("client").get(f"/api/holds/{made['id']}/").json() == made
    release = f"/api/holds/{made['id']}/release/"
    assert as_("it").post(release, {}).json()["field"] == "reason"
    released = as_("second_it").post(release, {"reason": "Done."}).json()
    assert (released["released_by"], released["release_reason"]) == ("Iris", "Done.")
    again = as_("it").post(release, {"reason": "Done."})
    assert (again.status_code, again.json()["detail"]) == (409, "This hold was released already.")
    assert as_("client").get(f"/api/backups/{backup.pk}/").json()["holds"] == []
    assert len(as_("client").get(f"/api/holds/?backup={backup.pk}").json()["results"]) == 1
    assert as_("client").get(f"/api/holds/?resource={backup.resource_id + 1}").json()["results"] == []


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"until": "2020-01-01", "reason": "x"}, "until", "is over already. Name the last day"),
        ({"until": "2999-01-01", "reason": "x"}, "until", "A hold lasts ten years at most."),
        ({"until": "tomorrow", "reason": "x"}, "until", "Enter a day, such as 2026-12-01."),
        ({"until": None, "reason": "x"}, "until", "Name the last day on which the backup must be there."),
        ({"reason": "x"}, "until", "Name the last day on which the backup must be there."),
        ({"until": "{tomorrow}", "reason": " "}, "reason", "Say why the backup is held: it is kept with it."),
        ({"until": "{tomorrow}", "reason": "x", "by": "me"}, "by", "There is no field “by” here."),
    ],
)
def test_what_cannot_be_held_so_is_refused_at_its_field(
    as_: As, backup: Backup, today: date, body: dict[str, Any], field: str, words: str
) -> None:
    if body.get("until") == "{tomorrow}":
        body = {**body, "until": (today + timedelta(days=1)).isoformat()}
    answer = as_("it").post(f"/api/backups/{backup.pk}/hold/", body)
    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert words in answer.json()["detail"]
    assert not Hold.objects.exists()


def test_all_that_a_hold_lacks_is_said_at_once(as_: As, backup: Backup) -> None:
    assert set(as_("it").post(f"/api/backups/{backup.pk}/hold/", {}).json()["errors"]) == {"until", "reason"}


def test_a_deleted_backup_is_not_held(as_: As, cast: Cast, resource: Resource) -> None:
    gone = make_backup(resource, timezone.now(), regions=(), deleted_at=timezone.now())
    answer = as_("it").post(f"/api/backups/{gone.pk}/hold/", {"until": "2999-01-01", "reason": "x"})
    assert (answer.status_code, answer.json()["detail"]) == (409, refusal(check_can_hold, cast.it, gone))


def test_a_program_neither_holds_nor_removes_nor_decides(
    robot: User, hold: Hold, resource: Resource, stopped: RetentionRun, today: date
) -> None:
    program = client_of(robot)
    for address, body in (
        (f"backups/{hold.backup_id}/hold", {"until": today.isoformat(), "reason": "x"}),
        (f"holds/{hold.pk}/release", {"reason": "x"}),
        (f"resources/{resource.pk}/remove", {"digest": "0", "typed_name": "shop-db", "reason": "x"}),
        (f"resources/{resource.pk}/bring-back", {"reason": "x"}),
        (f"retention-runs/{stopped.pk}/decide", {"carry_on": True, "reason": "x"}),
    ):
        answer = program.post(f"/api/{address}/", body)
        assert (answer.status_code, answer.json()["detail"]) == (
            403,
            "A service account cannot decide this. A person has to.",
        )


def test_removing_over_the_list_that_was_read(as_: As, resource: Resource, backup: Backup) -> None:
    newer = make_backup(resource, timezone.now() - timedelta(hours=1), regions=("eu-central-1", "eu-west-1"))
    it, address = as_("it"), f"/api/resources/{resource.pk}"
    plan = it.get(f"{address}/removal/").json()
    assert [one["backup"] for one in plan["going"]] == [backup.pk]
    assert [one["backup"] for one in plan["staying"]] == [newer.pk]
    assert plan["staying"][0]["until"] == plan["kept_until"]
    assert (plan["copies"], plan["bytes"], plan["final_backup"]) == (2, 3_600_000_000, False)
    sent = {"digest": plan["digest"], "typed_name": "shop-db", "reason": "The shop was closed."}
    assert it.post(f"{address}/remove/", {**sent, "typed_name": "shop"}).json()["field"] == "typed_name"
    assert it.post(f"{address}/remove/", {**sent, "reason": ""}).json()["field"] == "reason"
    stale = it.post(f"{address}/remove/", {**sent, "digest": "0" * 64})
    assert (stale.status_code, stale.json()["detail"].split(".")[0]) == (
        409,
        "Its backups have changed since you looked",
    )
    gone = it.post(f"{address}/remove/", sent).json()
    assert (gone["state"], gone["removed_by"], gone["removal_reason"]) == ("removed", "Ivan", "The shop was closed.")
    assert gone["kept_until"] == plan["kept_until"]
    (run,) = as_("auditor").get(f"/api/retention-runs/?resource={resource.pk}").json()["results"]
    assert (run["to_delete"], run["decided_by"], run["resource"]["name"]) == (2, "Ivan", "shop-db")
    refused = it.get(f"{address}/removal/")
    assert (refused.status_code, refused.json()["detail"]) == (409, "shop-db was removed already.")
    back = it.post(f"{address}/bring-back/", {"reason": "It was the wrong one."}).json()
    assert (back["state"], back["removed_at"], back["kept_until"]) == ("active", None, None)
    assert back["next_backup_at"]


def test_an_old_newest_backup_means_a_final_one_first(as_: As, resource: Resource) -> None:
    newest = make_backup(resource, timezone.now() - timedelta(days=3))
    it, address = as_("it"), f"/api/resources/{resource.pk}"
    plan = it.get(f"{address}/removal/").json()
    assert (plan["final_backup"], [one["backup"] for one in plan["in_case"]], plan["staying"]) == (
        True,
        [newest.pk],
        [],
    )
    assert plan["final_sentence"].startswith("A final backup is taken first")
    sent = {"digest": plan["digest"], "typed_name": "shop-db", "reason": "The shop was closed."}
    assert it.post(f"{address}/remove/", sent).json()["state"] == ResourceState.REMOVING
    assert resource.backups.open().get().reason == "The shop was closed."


def test_a_removal_while_a_request_is_open_is_refused_by_its_name(as_: As, resource: Resource, backup: Backup) -> None:
    Pin.objects.create(backup=backup, label="RR-1042", since=timezone.now())
    answer = as_("it").get(f"/api/resources/{resource.pk}/removal/")
    assert answer.status_code == 409
    assert answer.json()["detail"].startswith("RR-1042 refers to a backup of shop-db and is not closed.")


def test_what_has_nothing_left_is_not_brought_back(as_: As, cast: Cast) -> None:
    gone = make_removed(cast.shop, "gone")
    answer = as_("it").post(f"/api/resources/{gone.pk}/bring-back/", {"reason": "x"})
    assert answer.status_code == 409
    assert answer.json()["detail"].startswith("No backup of gone is left")


def test_findings_and_their_filters(as_: As, resource: Resource, finding: Finding) -> None:
    now = timezone.now()
    closed = Finding.objects.create(
        resource=resource, rule="B3", code="none_elsewhere", sentence="x", since=now, opened_at=now, closed_at=now
    )
    region = Finding.objects.create(
        subject="eu-west-1", rule="B1", code="region_away", sentence="x", since=now, opened_at=now
    )

    def found(query: str) -> set[int]:
        answer = as_("auditor").get(f"/api/findings/?{query}")
        assert answer.status_code == 200, answer.json()
        return {row["id"] for row in answer.json()["results"]}

    assert found("") == {finding.pk, closed.pk, region.pk}
    assert found("open=true") == {finding.pk, region.pk}
    assert found("open=false") == found("rule=B3") == found("code=none_elsewhere") == {closed.pk}
    assert found(f"resource={resource.pk}") == {finding.pk, closed.pk}
    row = as_("it").get(f"/api/findings/{finding.pk}/").json()
    assert (row["rule"], row["code"], row["name"], row["sentence"]) == ("B2", "late", "Late", finding.sentence)
    assert row["resource"] == {"id": resource.pk, "name": "shop-db"}
    assert as_("it").get(f"/api/findings/{region.pk}/").json()["resource"] is None
    for query in ("rule=B9", "code=x", "open=yes", "opened=true"):
        answer = as_("it").get(f"/api/findings/?{query}")
        assert (answer.status_code, answer.json()["field"]) == (400, query.partition("=")[0])


@pytest.mark.parametrize(("carry_on", "status"), [(True, "applying"), (False, "refused")])
def test_a_person_of_it_decides_about_a_stopped_run_once(
    as_: As, cast: Cast, stopped: RetentionRun, carry_on: bool, status: str
) -> None:
    it, address = as_("it"), f"/api/retention-runs/{stopped.pk}"
    row = it.get(f"{address}/").json()
    assert (row["can"], row["share_percent"]) == ({"decide": None}, 31.0)
    assert "It would delete 31 of 100 copies." in row["sentence"]
    sentence = "Only IT decides about stopped runs."
    assert as_("auditor").get(f"{address}/").json()["can"] == {"decide": sentence}
    assert it.post(f"{address}/decide/", {"carry_on": carry_on}).json()["field"] == "reason"
    assert it.post(f"{address}/decide/", {"carry_on": "perhaps", "reason": "x"}).json()["field"] == "carry_on"
    assert set(it.post(f"{address}/decide/", {}).json()["errors"]) == {"carry_on", "reason"}
    decided = it.post(f"{address}/decide/", {"carry_on": carry_on, "reason": "Looked at."}).json()
    assert (decided["status"], decided["decided_by"], decided["reason"]) == (status, "Ivan", "Looked at.")
    again = as_("second_it").post(f"{address}/decide/", {"carry_on": True, "reason": "x"})
    stopped.refresh_from_db()
    assert (again.status_code, again.json()["detail"]) == (
        409,
        refusal(check_can_decide_run, cast.second_it, stopped),
    )
    assert [run["id"] for run in it.get(f"/api/retention-runs/?status={status}").json()["results"]] == [stopped.pk]
    assert it.get("/api/retention-runs/?status=stopped").json()["results"] == []
