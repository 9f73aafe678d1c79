"""Restore requests over the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from backups.models import Backup, Resource
from portal.models import User
from portal.rules import refusal
from restores.actions.incidents import declare
from restores.api.serializers import MOVES
from restores.charging import Cause
from restores.models import AttemptKind, RestoreRequest, Step, StepStatus
from restores.stepnames import StepName
from restores.workflow import Status
from tests.api.conftest import As, client_of
from tests.factories import Cast, make_attempt, make_backup, make_failed_backup, make_request, make_resource

ADDRESS = "/api/restore-requests/"


@pytest.fixture
def body(backup: Backup) -> dict[str, Any]:
    return {"backup": backup.pk, "mode": "in_place", "cause": "bad_change", "reason": "A release broke it."}


def test_filing_answers_with_the_plan_and_what_it_means(as_: As, body: dict[str, Any], cast: Cast) -> None:
    answer = as_("client").post(ADDRESS, body)
    assert answer.status_code == 201
    row, made = answer.json(), RestoreRequest.objects.get()
    assert (row["number"], row["status"], row["turn"]) == (made.number, "submitted", "IT")
    assert row["next"].startswith("IT reviews the request and approves or rejects it. If nobody does until ")
    assert row["classification"] == "billable"
    assert row["classification_sentence"].startswith("This restore may be charged")
    assert row["sentence"].startswith("Restore shop-db as of ")
    assert 86_000 < row["loss_window_seconds"] < 87_000
    assert row["plan_digest"] == made.plan_digest
    assert row["plan"] == {**made.plan, "target": None}
    assert row["needs_typed_name"] is True
    assert [event["by"] for event in row["events"]] == [str(cast.client)]
    assert row["can"]["cancel"] is None
    assert row["can"]["approve"] == "Only IT approves restores."


def test_it_reads_the_target(as_: As, filed: RestoreRequest) -> None:
    assert as_("it").get(f"{ADDRESS}{filed.pk}/").json()["plan"] == filed.plan


def test_beside_replaces_nothing_and_infrastructure_is_free(as_: As, body: dict[str, Any]) -> None:
    row = as_("staff").post(ADDRESS, {**body, "mode": "beside", "cause": "infrastructure"}).json()
    assert (row["loss_window_seconds"], row["classification"], row["needs_typed_name"]) == (None, "free", False)


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"reason": " "}, "reason", "Say what happened and why"),
        ({"reason": None}, "reason", "Say what happened and why"),
        ({"reason": "x" * 10_001}, "reason", ""),
        ({"backup": 999_999}, "backup", "There is no backup 999999 that you can see."),
        ({"backup": "x"}, "backup", "backup must be a whole number."),
        ({"backup": None}, "backup", "backup is missing."),
        ({"mode": "sideways"}, "mode", "“sideways” is not possible here. Choose one of: in_place"),
        ({"cause": "magic"}, "cause", "“magic” is not possible here."),
        ({"urgent": True}, "urgent", "There is no field “urgent” here."),
    ],
)
def test_what_cannot_be_filed(as_: As, body: dict[str, Any], change: dict[str, Any], field: str, words: str) -> None:
    wrong = {name: value for name, value in {**body, **change}.items() if value is not None}
    answer = as_("client").post(ADDRESS, wrong)
    assert answer.status_code == 400
    assert answer.json()["field"] == field
    assert answer.json()["detail"].startswith(words)
    assert not RestoreRequest.objects.exists()


def test_backups_of_others_and_bad_ones_are_refused(as_: As, body: dict[str, Any], cast: Cast, backup: Backup) -> None:
    theirs = make_backup(make_resource(cast.news), backup.queued_at)
    answer = as_("client").post(ADDRESS, {**body, "backup": theirs.pk})
    assert (answer.status_code, answer.json()["field"]) == (400, "backup")
    bad = make_failed_backup(backup.resource, backup.queued_at)
    answer = as_("client").post(ADDRESS, {**body, "backup": bad.pk})
    assert answer.json()["detail"].startswith("This backup is not complete")


def test_approval_is_bound_to_the_plan_and_needs_the_name(as_: As, filed: RestoreRequest, cast: Cast) -> None:
    address, it = f"{ADDRESS}{filed.pk}/approve/", as_("it")
    missing = it.post(address, {})
    assert (missing.status_code, missing.json()["field"]) == (400, "plan_digest")
    assert "Read the request" in missing.json()["detail"]
    other = it.post(address, {"plan_digest": "0" * 64, "typed_name": "shop-db"})
    assert (other.status_code, other.json()["detail"].split(".")[0]) == (409, "The plan is not the one you looked at")
    unnamed = it.post(address, {"plan_digest": filed.plan_digest})
    assert (unnamed.status_code, unnamed.json()["field"]) == (400, "typed_name")
    answer = it.post(address, {"plan_digest": filed.plan_digest, "typed_name": "shop-db"})
    assert (answer.status_code, answer.json()["status"]) == (200, "approved")
    assert answer.json()["decided_by"] == str(cast.it)
    twice = it.post(address, {"plan_digest": filed.plan_digest, "typed_name": "shop-db"})
    assert (twice.status_code, twice.json()["detail"]) == (409, "This request is approved and cannot be approved now.")


def test_nobody_approves_their_own_and_no_program_approves(as_: As, body: dict[str, Any], robot: User) -> None:
    mine = as_("it").post(ADDRESS, body).json()
    decision = {"plan_digest": mine["plan_digest"], "typed_name": "shop-db"}
    answer = as_("it").post(f"{ADDRESS}{mine['id']}/approve/", decision)
    assert (answer.status_code, answer.json()["detail"]) == (403, mine["can"]["approve"])
    answer = client_of(robot).post(f"{ADDRESS}{mine['id']}/approve/", decision)
    assert (answer.status_code, answer.json()["detail"].split(".")[0]) == (403, "A service account cannot decide this")
    assert as_("second_it").post(f"{ADDRESS}{mine['id']}/approve/", decision).status_code == 200


def test_reject_and_cancel_need_reasons(as_: As, filed: RestoreRequest) -> None:
    address = f"{ADDRESS}{filed.pk}"
    assert as_("it").post(f"{address}/reject/", {}).json()["field"] == "reason"
    assert as_("colleague").post(f"{address}/cancel/", {"reason": "not mine"}).status_code == 403
    answer = as_("client").post(f"{address}/cancel/", {"reason": "found it"})
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert as_("it").post(f"{address}/reject/", {"reason": "late"}).status_code == 409


def test_rejecting_tells_why(as_: As, filed: RestoreRequest) -> None:
    row = as_("it").post(f"{ADDRESS}{filed.pk}/reject/", {"reason": "The newer one is better."}).json()
    assert (row["status"], row["decision_reason"]) == ("rejected", "The newer one is better.")


def test_retry_is_a_new_approval(as_: As, failed: RestoreRequest) -> None:
    decision = {"plan_digest": failed.plan_digest, "typed_name": "shop-db", "reason": "The disk is larger now."}
    row = as_("it").post(f"{ADDRESS}{failed.pk}/retry/", decision).json()
    assert (row["status"], len(row["attempts"])) == ("approved", 1)


def test_what_went_wrong_is_technical_only_for_it(as_: As, failed: RestoreRequest) -> None:
    for who, detail in {"client": None, "it": "ENOSPC at /srv/nowhere", "auditor": "ENOSPC at /srv/nowhere"}.items():
        (attempt,) = as_(who).get(f"{ADDRESS}{failed.pk}/").json()["attempts"]
        assert (attempt["error"], attempt["error_detail"]) == ("The disk is full.", detail)


@pytest.mark.parametrize("name", StepName)
def test_steps_that_name_paths_and_servers_are_told_to_it_only(as_: As, failed: RestoreRequest, name: StepName) -> None:
    said = "/srv/nowhere on db.internal is version 17.2."
    Step.objects.create(
        attempt=failed.attempts.get(), position=1, name=name, status=StepStatus.DONE, started_at=timezone.now(),
        finished_at=timezone.now(), sentence=said,
    )  # fmt: skip
    for who in ("client", "staff", "account_manager", "it", "auditor"):
        (step,) = as_(who).get(f"{ADDRESS}{failed.pk}/").json()["attempts"][0]["steps"]
        hidden = who not in ("it", "auditor") and name in (StepName.PREFLIGHT, StepName.HEALTH)
        assert step["sentence"] == (None if hidden else said), who


def test_undo_is_asked_for_with_a_reason(as_: As, completed: RestoreRequest) -> None:
    address = f"{ADDRESS}{completed.pk}/undo/"
    assert as_("client").post(address, {"reason": "oops"}).status_code == 403
    assert as_("it").post(address, {}).json()["field"] == "reason"
    answer = as_("it").post(address, {"reason": "The client wants today's back."})
    assert answer.status_code == 202
    assert [attempt["kind"] for attempt in answer.json()["attempts"]] == [AttemptKind.RESTORE, AttemptKind.UNDO]
    assert as_("it").post(address, {"reason": "again"}).status_code == 409


@pytest.mark.parametrize("fixture", ["filed", "failed", "completed"])
def test_what_one_can_is_what_the_move_would_answer(
    as_: As, cast: Cast, request: pytest.FixtureRequest, fixture: str
) -> None:
    found: RestoreRequest = request.getfixturevalue(fixture)
    for who in ("client", "staff", "it", "auditor", "account_manager"):
        told = as_(who).get(f"{ADDRESS}{found.pk}/").json()["can"]
        assert told == {move: refusal(check, cast.people[who], found) or None for move, check in MOVES.items()}


def test_an_emergency_is_told_alike_in_the_list_and_of_one(as_: As, cast: Cast, filed: RestoreRequest) -> None:
    affected = Resource.objects.filter(pk=filed.resource_id)
    incident = declare(by=cast.it, hazard="The disk is gone.", resources=affected)
    make_request(filed.backup, cast.it, status=Status.RUNNING, cause=Cause.INFRASTRUCTURE, incident=incident)
    said = (
        f"{incident.number} brings {filed.resource.name} back first. IT decides about this request once that is done."
    )
    for who in ("client", "it"):
        whole = as_(who).get(f"{ADDRESS}{filed.pk}/").json()
        listed = next(one for one in as_(who).get(ADDRESS).json()["results"] if one["id"] == filed.pk)
        assert {(one["turn"], one["next"]) for one in (whole, listed)} == {("the portal", said)}
    assert as_("it").get(f"{ADDRESS}{filed.pk}/").json()["can"]["approve"].startswith(f"{incident.number} brings")


def test_what_was_replaced_since_says_by_which(as_: As, completed: RestoreRequest, cast: Cast) -> None:
    def told() -> tuple[str | None, str, str]:
        answer = as_("client").get(f"{ADDRESS}{completed.pk}/").json()
        return answer["replaced_by"], answer["turn"], answer["next"]

    before = told()
    now = timezone.now()
    later, after = make_request(completed.backup, cast.client, status=Status.COMPLETED), now + timedelta(minutes=1)
    make_attempt(later, cast.it, status="completed", proof="3 files", finished_at=after, went_live_at=after)
    assert before[0] is None
    listed = {one["id"]: one for one in as_("client").get(ADDRESS).json()["results"]}
    assert (listed[completed.pk]["turn"], listed[later.pk]["turn"]) == ("nobody", "the person who asked")
    assert "has replaced what it restored since" in listed[completed.pk]["next"]
    assert told() == (later.number, "nobody", f"{later.number} has replaced what it restored since.")
    RestoreRequest.objects.filter(pk=later.pk).update(status="undone", closed_at=now)
    assert told() == before, "an undo has brought it back"


def test_filters(as_: As, filed: RestoreRequest, completed: RestoreRequest, staging: Resource, cast: Cast) -> None:
    def found(query: str) -> set[int]:
        return {row["id"] for row in as_("it").get(f"{ADDRESS}?{query}").json()["results"]}

    assert found("status=submitted") == {filed.pk}
    assert found(f"resource={filed.resource_id}&mode=in_place") == {filed.pk, completed.pk}
    assert found(f"resource={staging.pk}") == found("mode=export") == found(f"client={cast.mediaco.pk}") == set()
    assert as_("it").get(f"{ADDRESS}?status=done").json()["field"] == "status"
