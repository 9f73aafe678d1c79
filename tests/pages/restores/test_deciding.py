"""Deciding on a request: done once, refused with the rule's sentence, nothing typed lost."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from django.utils.html import escape

from backups.drivers.base import Mode
from backups.models import Backup
from restores.models import AttemptKind, RestoreRequest
from restores.workflow import Status
from tests.factories import Cast, make_backup, make_request
from tests.pages.restores.conftest import As, finish

OWN = "You filed this request; another person of IT decides about it. You can cancel it."


def url(request: RestoreRequest, act: str) -> str:
    return f"/requests/{request.pk}/{act}/"


def test_it_approves_the_plan_it_was_shown(as_: As, submitted: RestoreRequest) -> None:
    page = as_("it").get(f"/requests/{submitted.pk}/").content.decode()
    assert f'value="{submitted.plan_digest}"' in page
    assert "Replace shop-db with" in page
    typed = {"plan_digest": submitted.plan_digest, "typed_name": "shop-db", "reason": "Agreed on the phone."}
    answer = as_("it").post(url(submitted, "approve"), typed)
    assert answer.status_code == 302
    submitted.refresh_from_db()
    assert submitted.state is Status.APPROVED
    assert submitted.decision_reason == "Agreed on the phone."


def test_the_name_has_to_be_typed_where_live_production_data_goes(as_: As, submitted: RestoreRequest) -> None:
    typed = {"plan_digest": submitted.plan_digest, "typed_name": "shop", "reason": "Note <1>"}
    answer = as_("it").post(url(submitted, "approve"), typed)
    assert answer.status_code == 400
    page = answer.content.decode()
    assert "Type shop-db to approve: its live data will be replaced." in page
    assert 'value="shop"' in page
    assert escape("Note <1>") in page
    submitted.refresh_from_db()
    assert submitted.state is Status.SUBMITTED


@pytest.mark.parametrize("mode", [Mode.BESIDE, Mode.EXPORT])
def test_no_name_is_typed_where_nothing_is_replaced(as_: As, cast: Cast, backup: Backup, mode: Mode) -> None:
    request = make_request(backup, cast.client, mode=mode)
    assert 'name="typed_name"' not in as_("it").get(f"/requests/{request.pk}/").content.decode()
    assert as_("it").post(url(request, "approve"), {"plan_digest": request.plan_digest}).status_code == 302


def test_another_plan_than_the_one_seen_is_refused_and_the_new_one_shown(as_: As, submitted: RestoreRequest) -> None:
    typed = {"plan_digest": "0" * 64, "typed_name": "shop-db", "reason": "Fine by me."}
    answer = as_("it").post(url(submitted, "approve"), typed)
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "The plan is not the one you looked at." in page
    assert "Fine by me." in page
    assert f'value="{submitted.plan_digest}"' in page


def test_nobody_approves_what_they_filed(as_: As, cast: Cast, backup: Backup) -> None:
    request = make_request(backup, cast.it)
    page = as_("it").get(f"/requests/{request.pk}/").content.decode()
    assert OWN in page
    assert url(request, "approve") not in page
    answer = as_("it").post(url(request, "approve"), {"plan_digest": request.plan_digest, "typed_name": "shop-db"})
    assert answer.status_code == 403
    assert OWN in answer.content.decode()
    assert as_("second_it").get(f"/requests/{request.pk}/").content.decode().count(url(request, "approve")) == 1


@pytest.mark.parametrize(("act", "status"), [("reject", Status.REJECTED), ("cancel", Status.CANCELLED)])
def test_a_no_needs_a_reason(as_: As, submitted: RestoreRequest, act: str, status: Status) -> None:
    answer = as_("it").post(url(submitted, act), {"reason": "  "})
    assert answer.status_code == 400
    assert "Say why: the reason is kept with the request." in answer.content.decode()
    assert as_("it").post(url(submitted, act), {"reason": "Asked twice."}).status_code == 302
    submitted.refresh_from_db()
    assert submitted.state is status
    assert "Asked twice." in as_("client").get(f"/requests/{submitted.pk}/").content.decode()


def test_a_second_decision_is_refused_as_things_stand(as_: As, submitted: RestoreRequest) -> None:
    as_("it").post(url(submitted, "reject"), {"reason": "No."})
    answer = as_("second_it").post(url(submitted, "reject"), {"reason": "Not like this."})
    assert answer.status_code == 409
    assert "This request is rejected and cannot be rejected now." in answer.content.decode()
    assert "Not like this." in answer.content.decode()


def test_a_colleague_sees_why_they_cannot_cancel(as_: As, submitted: RestoreRequest) -> None:
    sentence = "Only the person who asked, or IT, cancels this request."
    assert sentence in as_("colleague").get(f"/requests/{submitted.pk}/").content.decode()
    assert as_("colleague").post(url(submitted, "cancel"), {"reason": "Never mind."}).status_code == 403
    assert sentence not in as_("client").get(f"/requests/{submitted.pk}/").content.decode()
    assert as_("client").post(url(submitted, "cancel"), {"reason": "Never mind."}).status_code == 302


def test_who_only_looks_is_offered_nothing(as_: As, submitted: RestoreRequest) -> None:
    page = as_("auditor").get(f"/requests/{submitted.pk}/").content.decode()
    assert "<dialog" not in page
    assert "aria-disabled" not in page


def test_what_was_replaced_since_is_not_what_they_have_now(
    as_: As, cast: Cast, backup: Backup, completed: RestoreRequest
) -> None:
    assert "What you have now" in as_("client").get(f"/requests/{completed.pk}/").content.decode()
    later = make_request(backup, cast.client)
    finish(later, cast, went_live_at=timezone.now() + timedelta(minutes=1))
    page = as_("client").get(f"/requests/{completed.pk}/").content.decode()
    assert "What you have now" not in page
    assert "Your turn" not in page
    assert f'href="{later.get_absolute_url()}">{later.number} has replaced what it restored since.</a>' in page
    assert "Undo that one first." in as_("it").get(f"/requests/{completed.pk}/").content.decode()


def test_an_approver_is_told_what_comes_first(as_: As, cast: Cast, backup: Backup, submitted: RestoreRequest) -> None:
    assert "comes first" not in as_("it").get(f"/requests/{submitted.pk}/").content.decode()
    other = make_request(backup, cast.client, status="approved")
    page = as_("it").get(f"/requests/{submitted.pk}/").content.decode()
    assert f"{other.number} replaces shop-db too, and comes first." in page
    RestoreRequest.objects.filter(pk=other.pk).update(start_at=timezone.now() + timedelta(days=7))
    page = as_("it").get(f"/requests/{submitted.pk}/").content.decode()
    assert "comes first" not in page
    assert f"{other.number} is to replace shop-db " in page


def test_undo_is_offered_while_the_original_is_kept(as_: As, completed: RestoreRequest, now: datetime) -> None:
    page = as_("it").get(f"/requests/{completed.pk}/").content.decode()
    assert "Bring back shop-db as it was before the restore" in page
    assert "Only IT undoes restores." in as_("client").get(f"/requests/{completed.pk}/").content.decode()
    assert as_("it").post(url(completed, "undo"), {"reason": ""}).status_code == 400
    assert as_("it").post(url(completed, "undo"), {"reason": "The wrong day."}).status_code == 302
    undo = completed.attempts.get(kind=AttemptKind.UNDO)  # type: ignore[attr-defined]
    assert undo.reason == "The wrong day."
    answer = as_("it").post(url(completed, "undo"), {"reason": "Again."})
    assert answer.status_code == 409
    assert "The original is being brought back. Wait until that is done." in answer.content.decode()


def test_undo_says_when_it_is_too_late(as_: As, submitted: RestoreRequest, cast: Cast, now: datetime) -> None:
    finish(submitted, cast, kept_until=now - timedelta(hours=1))
    assert "The original is no longer kept." in as_("it").get(f"/requests/{submitted.pk}/").content.decode()
    assert as_("it").post(url(submitted, "undo"), {"reason": "Please."}).status_code == 409


def test_undo_is_not_mentioned_where_nothing_was_replaced(as_: As, cast: Cast, backup: Backup) -> None:
    request = make_request(backup, cast.client, mode=Mode.BESIDE)
    finish(request, cast)
    assert "Undo" not in as_("it").get(f"/requests/{request.pk}/").content.decode()


def test_a_failed_restore_is_tried_again_by_a_new_approval(as_: As, cast: Cast, now: datetime, backup: Backup) -> None:
    request = make_request(make_backup(backup.resource, now - timedelta(days=4)), cast.client)
    finish(
        request, cast, Status.FAILED, status="failed", proof="", error="The disk is full.", error_detail="ENOSPC",
        went_live_at=None, kept_until=None,
    )  # fmt: skip
    assert "Try again…" in as_("it").get(f"/requests/{request.pk}/").content.decode()
    typed = {"plan_digest": request.plan_digest, "typed_name": "shop-db", "reason": "Room was made."}
    assert as_("it").post(url(request, "retry"), typed).status_code == 302
    request.refresh_from_db()
    assert request.state is Status.APPROVED
