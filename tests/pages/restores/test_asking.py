"""Asking for a restore: what is shown, what is refused, and that nothing typed is lost."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.utils import timezone
from django.utils.html import escape

from backups.kinds import KINDS
from backups.models import Backup, CopyState, Resource
from portal.words import company_zone, exact_time
from restores.details import NO_DETAILS
from restores.models import RestoreRequest
from tests.factories import (
    Cast,
    make_backup,
    make_charge,
    make_failed_backup,
    make_open_backup,
    make_removed,
    make_resource,
)
from tests.pages.restores.conftest import As

NEW = "/requests/new/"
REASON = "The import of Monday <b>broke</b> all prices."


def answers(backup: Backup, **others: str) -> dict[str, Any]:
    filled = {
        "resource": backup.resource_id,
        "backup": backup.pk,
        "mode": "in_place",
        "cause": "bad_data",
        "reason": REASON,
    }
    return filled | others


def test_a_request_is_filed(as_: As, backup: Backup) -> None:
    answer = as_("client").post(NEW, answers(backup), follow=True)
    filed = RestoreRequest.objects.get()
    assert answer.redirect_chain == [(f"/requests/{filed.pk}/", 302)]
    assert (filed.backup, filed.mode, filed.cause, filed.reason) == (backup, "in_place", "bad_data", REASON)
    page = answer.content.decode()
    assert f"{filed.number} is filed." in page
    assert escape(REASON) in page


def test_first_the_resource_is_searched_for(as_: As, resource: Resource, foreign: Backup) -> None:
    page = as_("client").get(NEW).content.decode()
    assert f"{NEW}?resource={resource.pk}" in page
    assert foreign.resource.name not in page
    assert "Nothing found" in as_("client").get(NEW, {"q": "printer"}).content.decode()
    assert resource.name in as_("client").get(NEW, {"q": "SHOP db"}).content.decode()


def test_the_picker_offers_good_backups_with_their_age(
    as_: As, resource: Resource, backup: Backup, now: datetime
) -> None:
    failed = make_failed_backup(resource, now - timedelta(hours=30))
    gone = make_backup(resource, now - timedelta(hours=29))
    gone.copies.update(state=CopyState.DELETED, deleted_at=now)  # type: ignore[attr-defined]
    page = as_("client").get(NEW, {"resource": resource.pk}).content.decode()
    assert exact_time(backup.taken_at or now, now) in page
    assert "2\N{NO-BREAK SPACE}d 6\N{NO-BREAK SPACE}h ago" in page
    for other in (failed, gone):
        assert f'name="backup" value="{other.pk}"' not in page


def test_a_resource_without_good_backups_says_so(as_: As, resource: Resource) -> None:
    assert "No good backup yet" in as_("client").get(NEW, {"resource": resource.pk}).content.decode()


@pytest.mark.parametrize("method", ["get", "post"])
def test_what_belongs_to_another_client_is_not_there(as_: As, backup: Backup, foreign: Backup, method: str) -> None:
    send = getattr(as_("client"), method)
    assert send(NEW, {"backup": foreign.pk}).status_code == 404
    assert send(NEW, {"resource": foreign.resource_id}).status_code == 404
    assert send(NEW, answers(backup) | {"backup": foreign.pk}).status_code == 404
    assert send(NEW, {"backup": 987654}).status_code == 404
    assert not RestoreRequest.objects.exists()


def test_a_backup_of_another_resource_is_not_there_either(as_: As, backup: Backup, foreign: Backup) -> None:
    assert as_("it").post(NEW, answers(backup) | {"backup": foreign.pk}).status_code == 404


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        ("backup", "Pick the backup to go back to."),
        ("mode", "Say where the backup goes."),
        ("cause", "Say what caused it: it decides whether the restore is free."),
        ("reason", "Say what happened and why the restore is needed: it is kept with the request."),
    ],
)
def test_what_is_missing_is_said_and_the_rest_is_kept(as_: As, backup: Backup, missing: str, sentence: str) -> None:
    answer = as_("client").post(NEW, answers(backup) | {missing: ""})
    assert answer.status_code == 400
    page = answer.content.decode()
    assert escape(sentence) in page
    assert "what you entered is kept" in page
    if missing != "reason":
        assert escape(REASON) in page
    if missing != "cause":
        assert 'value="bad_data" required checked' in page
    if missing not in ("mode", "backup"):
        assert 'value="in_place" required checked' in page
        assert f'value="{backup.pk}" required checked' in page
    assert not RestoreRequest.objects.exists()


@pytest.mark.parametrize("missing", ["", "mode", "cause", "reason"])
def test_what_is_wrong_is_tied_to_what_it_is_about(as_: As, backup: Backup, missing: str) -> None:
    if missing:
        shown = as_("client").post(NEW, answers(backup) | {missing: ""}).content.decode()
    else:
        shown = as_("client").get(NEW, {"resource": backup.resource_id}).content.decode()
    ids = set(re.findall(r'\sid="([^"]+)"', shown))
    described = {name for names in re.findall(r'aria-describedby="([^"]+)"', shown) for name in names.split()}
    assert described <= ids
    assert "id_reason_helptext" in described
    assert {name for name in described if name.endswith("_error")} == ({f"id_{missing}_error"} if missing else set())


def test_all_that_is_missing_is_said_at_once(as_: As, backup: Backup) -> None:
    page = as_("client").post(NEW, answers(backup) | {"cause": "", "reason": " "}).content.decode()
    assert "Say what caused it" in page
    assert "Say what happened and why the restore is needed" in page


@pytest.mark.parametrize("how", ["failed", "running", "damaged", "gone"])
def test_a_bad_backup_is_refused_with_a_sentence(as_: As, resource: Resource, how: str, now: datetime) -> None:
    at = now - timedelta(hours=30)
    if how == "failed":
        bad = make_failed_backup(resource, at)
    elif how == "running":
        bad = make_open_backup(resource, at)
    else:
        bad = make_backup(resource, at, **({"damaged_at": now, "damage": "cut short"} if how == "damaged" else {}))
    if how == "gone":
        bad.copies.update(state=CopyState.DELETED, deleted_at=now)  # type: ignore[attr-defined]
    answer = as_("client").post(NEW, answers(bad))
    assert answer.status_code == 400
    sentences = {
        "failed": "not complete", "running": "not complete", "damaged": "was found damaged", "gone": "No copy of this backup",
    }  # fmt: skip
    assert sentences[how] in answer.content.decode()
    assert escape(REASON) in answer.content.decode()
    assert sentences[how] in as_("client").get(NEW, {"backup": bad.pk}).content.decode()


def test_the_last_good_backup_before_it_went_wrong_is_suggested(as_: As, resource: Resource, now: datetime) -> None:
    made = [make_backup(resource, now - timedelta(days=days)) for days in (5, 3, 1)]
    make_failed_backup(resource, now - timedelta(days=2, hours=3))
    wrong = (now - timedelta(days=2)).astimezone(company_zone()).strftime("%Y-%m-%dT%H:%M")
    typed = answers(made[0], went_wrong=wrong, suggest="1")
    page = as_("client").post(NEW, typed).content.decode()
    assert f'value="{made[1].pk}" required checked' in page
    assert "The last good one before" in page
    assert escape(REASON) in page
    assert not RestoreRequest.objects.exists()
    part = (
        as_("client")
        .get(f"{NEW}backups/", {"resource": resource.pk, "went_wrong": wrong, "suggest": "1"})
        .content.decode()
    )
    assert f'value="{made[1].pk}" required checked' in part
    assert "2\N{NO-BREAK SPACE}d" in part or "3\N{NO-BREAK SPACE}d" in part


def test_a_moment_before_all_backups_finds_none_and_says_so(as_: As, resource: Resource, backup: Backup) -> None:
    page = (
        as_("client")
        .get(f"{NEW}backups/", {"resource": resource.pk, "went_wrong": "2020-01-01T10:00"})
        .content.decode()
    )
    assert "no good backup from before that moment" in page
    page = as_("client").get(f"{NEW}backups/", {"resource": resource.pk, "went_wrong": "last week"}).content.decode()
    assert "Enter a date and a time" in page


def test_the_summary_says_what_is_lost_and_who_pays(as_: As, backup: Backup) -> None:
    asked = {"resource": backup.resource_id, "backup": backup.pk, "mode": "in_place", "cause": "infrastructure"}
    page = as_("client").get(f"{NEW}summary/", asked).content.decode()
    assert "<strong>shop-db</strong>" in page
    assert exact_time(backup.taken_at or timezone.now(), timezone.now()) in page
    assert "everything saved after that (2 d 6 h) is replaced" in page.replace("\N{NO-BREAK SPACE}", " ")
    assert "Free of charge, because the cause is an infrastructure problem." in page
    page = as_("client").get(f"{NEW}summary/", asked | {"mode": "beside", "cause": "other"}).content.decode()
    assert "beside the live one" in page
    assert "may be charged" in page
    assert as_("media_client").get(f"{NEW}summary/", asked).status_code == 404
    assert as_("client").get(f"{NEW}summary/").status_code == 204


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_form_says_what_in_place_interrupts_and_what_appears_beside(
    as_: As, cast: Cast, now: datetime, kind: str
) -> None:
    backup, driver = make_backup(make_resource(cast.shop, "web", kind=kind), now), KINDS[kind]
    asked = {"resource": backup.resource_id, "backup": backup.pk, "cause": "other"}
    beside, in_place, *_ = re.findall(r'<label class="choice.*?</label>', shown(as_, NEW, asked), re.DOTALL)
    assert f"{driver.appears.format(name='web')} The live one stays as it is." in unescape(beside)
    assert driver.interrupts in unescape(in_place)
    assert driver.interrupts not in unescape(beside)
    assert driver.interrupts in shown(as_, f"{NEW}summary/", asked | {"mode": "in_place"})
    assert driver.interrupts not in shown(as_, f"{NEW}summary/", asked | {"mode": "beside"})


def test_volumes_are_not_promised_to_be_a_machine(as_: As, cast: Cast, now: datetime) -> None:
    backup = make_backup(make_resource(cast.shop, "web", kind="ec2"), now)
    page = shown(as_, NEW, {"resource": backup.resource_id, "backup": backup.pk})
    assert "New volumes of web appear" in page
    assert "A new machine appears" not in page
    assert "The machine is stopped while its volumes are exchanged" in page


def shown(as_: As, path: str, asked: dict[str, Any]) -> str:
    return unescape(as_("client").get(path, asked).content.decode())


def test_who_may_only_look_is_told_so(as_: As, cast: Cast, backup: Backup) -> None:
    answer = as_("auditor").post(NEW, answers(backup))
    assert answer.status_code == 403
    assert "Only clients, their staff and IT ask for restores." in answer.content.decode()


def test_a_removed_resource_is_refused_with_the_rules_sentence(as_: As, cast: Cast, now: datetime) -> None:
    kept = make_backup(make_removed(cast.shop, "shop-db"), now)
    answer = as_("client").post(NEW, answers(kept))
    assert answer.status_code == 409
    assert "shop-db was removed." in answer.content.decode()


DETAILS = {"since_when": "Since <Monday>", "wanted": "The prices, only.", "must_not_lose": "The orders of today."}


def test_the_structured_reason_is_kept_and_read_where_it_is_decided(as_: As, backup: Backup, cast: Cast) -> None:
    page = as_("client").post(NEW, answers(backup, **DETAILS), follow=True).content.decode()
    filed = RestoreRequest.objects.get()
    assert {name: getattr(filed, name) for name in DETAILS} == DETAILS
    for text in DETAILS.values():
        assert escape(text) in page
    assert "Must not be lost:</strong> The orders of today." in as_("it").get("/approvals/").content.decode()
    charge = make_charge(filed)
    assert "The orders of today." in as_("account_manager").get(f"/charges/{charge.pk}/").content.decode()


def test_only_what_happened_has_to_be_said(as_: As, backup: Backup) -> None:
    page = as_("client").post(NEW, answers(backup), follow=True).content.decode()
    assert RestoreRequest.objects.get().details == NO_DETAILS
    assert "Must not be lost" not in page


def test_the_moment_at_which_it_went_wrong_says_since_when(as_: As, backup: Backup) -> None:
    moment = {"went_wrong": "2026-11-17T14:30"}
    as_("client").post(NEW, answers(backup, **moment))
    assert RestoreRequest.objects.get().since_when == "Tue 17 Nov 2026, 14:30 CET"
    as_("colleague").post(NEW, answers(backup, **moment, **DETAILS))
    assert RestoreRequest.objects.latest("pk").since_when == DETAILS["since_when"]


def test_what_was_said_is_kept_when_the_request_cannot_be_filed(as_: As, backup: Backup) -> None:
    answer = as_("client").post(NEW, answers(backup, **DETAILS | {"reason": ""}))
    assert answer.status_code == 400
    page = answer.content.decode()
    assert escape(DETAILS["since_when"]) in page
    assert DETAILS["wanted"] in page
    too_long = as_("client").post(NEW, answers(backup, must_not_lose="x" * 5001))
    assert "That is too long: 5,000 characters at most." in too_long.content.decode()
    assert not RestoreRequest.objects.exists()
