"""Stopping, scheduling and keeping longer, on the request's page."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from backups.drivers.base import Mode
from backups.models import Backup
from restores.models import Attempt, AttemptStatus, RestoreRequest
from restores.workflow import Status
from tests.factories import Cast, make_attempt, make_request
from tests.pages.restores.conftest import As, finish


@pytest.fixture
def under_way(submitted: RestoreRequest, cast: Cast) -> RestoreRequest:
    make_attempt(submitted, cast.it, status=AttemptStatus.RUNNING, heartbeat_at=timezone.now())
    RestoreRequest.objects.filter(pk=submitted.pk).update(status="running")
    submitted.refresh_from_db()
    return submitted


def test_who_asked_stops_a_running_restore(as_: As, under_way: RestoreRequest) -> None:
    page = as_("client").get(under_way.get_absolute_url()).content.decode()
    assert "Stop the restore of shop-db; the live data stays as it is" in page
    address = reverse("request_stop", args=[under_way.pk])
    assert as_("client").post(address, {"reason": ""}).status_code == 400
    assert as_("client").post(address, {"reason": "The wrong one."}).status_code == 302
    attempt = under_way.attempts.get()
    assert (attempt.stop_asked_by.username, attempt.stop_reason) == (under_way.filed_by.username, "The wrong one.")  # type: ignore[union-attr]
    assert "asked the restore to stop" in as_("it").get(under_way.get_absolute_url()).content.decode()
    assert as_("it").post(address, {"reason": "Me too."}).status_code == 409


def test_it_approves_for_a_maintenance_window_and_moves_it(as_: As, submitted: RestoreRequest) -> None:
    start = (timezone.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    sent = {"plan_digest": submitted.plan_digest, "typed_name": "shop-db", "start_at": start}
    wrong = as_("it").post(reverse("request_approve", args=[submitted.pk]), {**sent, "start_at": "2001-01-01T00:00"})
    assert wrong.status_code == 400
    assert "That moment has passed." in wrong.content.decode()
    assert as_("it").post(reverse("request_approve", args=[submitted.pk]), sent).status_code == 302
    page = as_("client").get(submitted.get_absolute_url()).content.decode()
    assert "The restore starts by itself on" in page
    assert "Change when it starts" not in page
    address = reverse("request_schedule", args=[submitted.pk])
    assert "Change when it starts" in as_("it").get(submitted.get_absolute_url()).content.decode()
    assert as_("it").post(address, {"start_at": "nonsense"}).status_code == 400
    assert as_("it").post(address, {"start_at": ""}).status_code == 302
    submitted.refresh_from_db()
    assert (submitted.state, submitted.start_at) == (Status.APPROVED, None)


def test_it_keeps_longer_what_is_left(as_: As, completed: RestoreRequest) -> None:
    address, until = reverse("request_extend", args=[completed.pk]), timezone.now().date() + timedelta(days=30)
    assert "Keep it longer" in as_("it").get(completed.get_absolute_url()).content.decode()
    assert "Keep it longer" not in as_("client").get(completed.get_absolute_url()).content.decode()
    empty = as_("it").post(address, {"until": "", "reason": "x"})
    assert (empty.status_code, "Choose the last day." in empty.content.decode()) == (400, True)
    assert as_("it").post(address, {"until": until.isoformat(), "reason": "Holidays."}).status_code == 302
    assert Attempt.objects.get().kept_until.date() >= until  # type: ignore[union-attr]


def test_what_is_kept_is_listed_with_its_end(as_: As, backup: Backup, foreign: Backup, cast: Cast) -> None:
    for mode, who, source in (
        (Mode.BESIDE, cast.client, backup),
        (Mode.IN_PLACE, cast.client, backup),
        (Mode.EXPORT, cast.media_client, foreign),
    ):
        finish(make_request(source, who, mode=mode), cast)
    over = make_request(backup, cast.client, mode=Mode.EXPORT)
    finish(over, cast, kept_until=timezone.now() - timedelta(hours=1))
    page = as_("client").get(reverse("kept")).content.decode()
    assert "What was restored beside" in page
    assert "The replaced original" in page
    assert "The download" not in page, "another client's, and one that is over"
    assert "The download" in as_("it").get(reverse("kept")).content.decode()
    assert over.number not in as_("it").get(reverse("kept")).content.decode()
    assert as_("it").post(reverse("kept")).status_code == 405
