"""The six questions of every page about checkups: owner, colleague, stranger, read-only, wrong method, signed out."""

from __future__ import annotations

import pytest
from django.urls import reverse

from checkups.models import Checkup, CheckupFinding, Trial
from tests.factories import Cast
from tests.pages.checkups.conftest import EVERYTHING, THEIR_PART, As, body

STRANGERS = ("media_client", "media_account_manager", "nobody")
POSTED = {
    "checkup_change": "change", "checkup_withdraw": "withdraw", "checkup_pause": "pause", "checkup_resume": "resume",
    "checkup_cancel": "cancel",
}  # fmt: skip
OF_A_FINDING = ("finding_check_again", "checkup_task_hand_on", "checkup_task_done")


def test_the_list_is_for_everybody_with_a_role(as_: As, signed: Checkup, running: Checkup) -> None:
    for who in EVERYTHING:
        shown = body(as_(who).get("/checkups/"))
        assert signed.number in shown
        assert running.number in shown
    for who in THEIR_PART:
        shown = body(as_(who).get("/checkups/"))
        assert signed.number in shown
        assert running.number not in shown, "nothing of one that runs"
        assert "calendar/" not in shown
    shown = body(as_("nobody").get("/checkups/"), 403)
    assert "Ask an administrator for a role." in shown


def test_before_it_is_signed_a_checkup_is_for_it_and_auditors(as_: As, ready: Checkup, failed: CheckupFinding) -> None:
    for path in (ready.get_absolute_url(), reverse("checkup_finding", args=[ready.pk, failed.pk])):
        for who in EVERYTHING:
            assert "shop-db" in body(as_(who).get(path))
        for who in (*THEIR_PART, *STRANGERS):
            assert as_(who).get(path).status_code == 404


def test_of_a_signed_one_each_sees_their_own_part(as_: As, signed: Checkup) -> None:
    for who in THEIR_PART:
        shown = body(as_(who).get(signed.get_absolute_url()))
        assert "shop-db" in shown
        assert "news-db" not in shown
        assert "Mediaco" not in shown
        assert "What happened" not in shown, "the company's events name others"
    shown = body(as_("media_client").get(signed.get_absolute_url()))
    assert "news-db" in shown
    assert "shop-db" not in shown
    assert as_("nobody").get(signed.get_absolute_url()).status_code == 404


def test_a_finding_of_another_client_is_not_there(as_: As, signed: Checkup) -> None:
    shops = reverse("checkup_finding", args=[signed.pk, signed.findings.get(name="shop-db").pk])
    assert "1,203 files are equal." in body(as_("client").get(shops))
    for who in STRANGERS:
        assert as_(who).get(shops).status_code == 404


def test_a_client_reads_nothing_technical(as_: As, signed: Checkup) -> None:
    path = reverse("checkup_finding", args=[signed.pk, signed.findings.get(name="shop-db").pk])
    assert "secret-path" in body(as_("it").get(path))
    for who in THEIR_PART:
        assert "secret-path" not in body(as_(who).get(path))


def test_a_finding_is_only_found_in_its_own_checkup(as_: As, ready: Checkup, signed: Checkup) -> None:
    other = signed.findings.get(name="shop-db").pk
    assert as_("it").get(reverse("checkup_finding", args=[ready.pk, other])).status_code == 404


@pytest.mark.parametrize("page", POSTED)
def test_deciding_about_it_is_for_it(as_: As, running: Checkup, signed: Checkup, page: str) -> None:
    address = reverse(page, args=[running.pk])
    for who in ("auditor", "administrator"):
        assert "Only IT sees to checkups." in body(as_(who).post(address, {"reason": "a reason"}), 403)
    for who in (*THEIR_PART, *STRANGERS):
        assert as_(who).post(address, {"reason": "a reason"}).status_code == 404
    for who in THEIR_PART:
        answer = as_(who).post(reverse(page, args=[signed.pk]), {"reason": "a reason"})
        assert answer.status_code == 403, "what they see they may not decide about"
    assert as_("it").get(address).status_code == 405
    assert as_("").post(address)["Location"].startswith(reverse("account_login"))
    running.refresh_from_db()
    assert running.status == "running"


def test_setting_a_date_is_for_it(as_: As, cast: Cast) -> None:
    for who in ("auditor", "administrator", *THEIR_PART, "nobody"):
        assert as_(who).post("/checkups/set/", {"on": "2030-01-01", "share": 100}).status_code == 403
    assert as_("it").get("/checkups/set/").status_code == 405
    assert as_("").post("/checkups/set/")["Location"].startswith(reverse("account_login"))
    assert not Checkup.objects.exists()


@pytest.mark.parametrize("page", OF_A_FINDING)
def test_seeing_to_what_failed_is_for_it(as_: As, ready: Checkup, failed: CheckupFinding, page: str) -> None:
    address = reverse(page, args=[ready.pk, failed.pk])
    assert "Only IT sees to checkups." in body(as_("auditor").post(address, {}), 403)
    for who in (*THEIR_PART, *STRANGERS):
        assert as_(who).post(address, {}).status_code == 404
    assert as_("it").get(address).status_code == 405
    assert as_("").post(address)["Location"].startswith(reverse("account_login"))


def test_a_trial_is_for_it_and_auditors(as_: As, trial: Trial) -> None:
    for page in ("trial", "trial_live"):
        address = reverse(page, args=[trial.pk])
        for who in EVERYTHING:
            assert as_(who).get(address).status_code == 200
        for who in (*THEIR_PART, *STRANGERS):
            assert as_(who).get(address).status_code == 404
        assert as_("it").post(address).status_code == 405
        assert as_("").get(address)["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize("page", ["backup_test", "asking"])
def test_testing_and_asking_are_for_it(as_: As, trial: Trial, page: str) -> None:
    assert trial.copy
    address = reverse(page, args=[trial.copy.backup_id if page == "backup_test" else trial.resource_id])
    assert as_("it").get(address).status_code == 200
    for who in ("auditor", "administrator", *THEIR_PART):
        assert as_(who).get(address).status_code == 403
        assert as_(who).post(address, {"reason": "why"}).status_code == 403
    for who in STRANGERS:
        assert as_(who).get(address).status_code == 404
    assert as_("it").put(address).status_code == 405
    assert as_("").get(address)["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize("page", ["checkups", "checkup", "checkup_live", "checkup_finding", "checkup_finding_live"])
def test_pages_that_show_are_not_posted_to(as_: As, ready: Checkup, failed: CheckupFinding, page: str) -> None:
    args = {"checkups": [], "checkup": [ready.pk], "checkup_live": [ready.pk]}.get(page, [ready.pk, failed.pk])
    address = reverse(page, args=args)
    assert as_("it").post(address).status_code == 405
    assert as_("").get(address)["Location"].startswith(reverse("account_login"))
