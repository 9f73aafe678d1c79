"""“Test this backup”: the dialog on its page, asking for it, the trial's page, its past trials, its recovery time."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from backups.models import Backup, Pin, Resource
from checkups.models import Trial, TrialStatus
from tests.checkup_rows import make_checkup, make_found
from tests.factories import Cast, make_failed_backup
from tests.pages.checkups.conftest import HOME, OTHER, As, body, make_trial


def test_it_tests_a_copy_with_a_reason(as_: As, cast: Cast, backup: Backup) -> None:
    shown = body(as_("it").get(reverse("backup", args=[backup.pk])))
    assert "Test this backup…" in shown
    assert "proven to <strong>content matched</strong>" in shown
    assert "Test this backup…" not in body(as_("client").get(reverse("backup", args=[backup.pk])))
    address = reverse("backup_test", args=[backup.pk])
    assert "Say why it is tested" in body(as_("it").post(address, {"region": OTHER, "reason": ""}), 400)
    assert "There is no copy there." in body(as_("it").post(address, {"region": "x", "reason": "why"}), 400)
    answer = as_("it").post(address, {"region": OTHER, "reason": "Before the migration."})
    trial = Trial.objects.get()
    assert answer["Location"] == reverse("trial", args=[trial.pk])
    assert (trial.copy and trial.copy.region, trial.asked_by, trial.wanted) == (OTHER, cast.it, 4)
    assert Pin.objects.filter(backup=backup, label=f"test {trial.pk}").exists()
    shown = body(as_("it").get(reverse("backup", args=[backup.pk])))
    assert f'href="{reverse("trial", args=[trial.pk])}">test {trial.pk}</a>' in shown
    assert "is being tested just now. Wait until that is done." in shown
    assert "is being tested just now." in body(as_("it").post(address, {"region": HOME, "reason": "Once more."}), 409)


def test_only_a_good_backup_is_tested(as_: As, resource: Resource) -> None:
    failed = make_failed_backup(resource, timezone.now())
    assert "Only a good backup can be tested." in body(as_("it").get(reverse("backup", args=[failed.pk])))
    answer = as_("it").post(reverse("backup_test", args=[failed.pk]), {"reason": "why"})
    assert "Only a good backup can be tested." in body(answer, 409)


def test_a_running_one_is_followed(as_: As, cast: Cast, backup: Backup) -> None:
    trial = make_trial(
        backup, asked_by=cast.it, reason="x", status=TrialStatus.RUNNING, finished_at=None, sentence="", reached=None
    )
    page, live = reverse("trial", args=[trial.pk]), reverse("trial_live", args=[trial.pk])
    shown = body(as_("auditor").get(page))
    assert "Restore into scratch. You can leave this page; it goes on." in shown
    assert f'hx-get="{live}?seen=running"' in shown
    assert "25 %" in body(as_("auditor").get(f"{live}?seen=running"))
    assert as_("auditor").get(f"{live}?seen=queued")["HX-Refresh"] == "true"


def test_what_came_of_it(as_: As, trial: Trial, cast: Cast, backup: Backup) -> None:
    shown = body(as_("auditor").get(reverse("trial", args=[trial.pk])))
    assert "Proven: content matched.</strong> 1,203 files are equal." in shown
    assert "Before the migration." in shown
    bad = make_trial(
        backup, asked_by=cast.it, reason="x", status=TrialStatus.FAILED, reached=None, sentence="Two files differ.",
        advice="Take a fresh backup.", detail="exit 3", place={"beside": "cu-9", "live": "x", "kept": "y"},
    )  # fmt: skip
    shown = body(as_("it").get(reverse("trial", args=[bad.pk])))
    for words in ("Two files differ.", "Take a fresh backup.", "exit 3", "It is being removed;"):
        assert words in shown
    assert shown.index("Take a fresh backup.") < shown.index("What was done"), "what to do is said first, and once"
    assert shown.count("Take a fresh backup.") == 1


def test_the_last_trials_stand_on_the_backups_page(as_: As, trial: Trial, cast: Cast, backup: Backup) -> None:
    address = reverse("backup", args=[backup.pk])
    counts = []
    for number in (2, 7):
        for _ in range(number):
            make_trial(backup, asked_by=cast.it, reason="x")
        with CaptureQueriesContext(connection) as queries:
            shown = body(as_("auditor").get(address))
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert shown.count("proven to content matched") == 5
    assert "Tried by restoring it" not in body(as_("client").get(address))


def test_the_recovery_time_stands_on_the_resources_page(
    as_: As, cast: Cast, backup: Backup, resource: Resource
) -> None:
    address = resource.get_absolute_url()
    assert "Recovery time" not in body(as_("client").get(address))
    now = timezone.now()
    Resource.objects.filter(pk=resource.pk).update(
        recovery_ms=150_000, recovery_bytes=10**9, recovery_at=now - timedelta(days=3)
    )
    make_trial(backup, asked_by=cast.it, reason="x", recovery_ms=999_000)
    for on, minutes in ((date(2026, 5, 17), 1.0), (date(2026, 10, 15), 2.5)):
        make_found(make_checkup(cast.it, on=on), resource, minutes=minutes)
    shown = body(as_("client").get(address)).replace("\N{NO-BREAK SPACE}", " ")
    assert "<strong>2 min</strong> for 1.0 GB, measured" in shown
    assert 'class="times"' not in shown
    assert "How a restored copy is asked" not in shown
    shown = body(as_("it").get(address)).replace("\N{NO-BREAK SPACE}", " ")
    assert 'aria-label="Recovery times in its last 2 checkups, the longest 2 min"' in shown
    assert "in its last 2 checkups: 1 min (17 May 2026), 2 min (15 Oct 2026)." in shown
    assert "Not at all: trials end with the comparison." in shown


@pytest.mark.parametrize("who", ["client", "it"])
def test_who_asks_for_a_restore_is_told_how_long_it_may_take(
    as_: As, who: str, backup: Backup, resource: Resource
) -> None:
    address = f"{reverse('request_new')}?backup={backup.pk}&mode=beside"
    assert "as measured on" not in body(as_(who).get(address))
    size = (backup.source_bytes or 0) // 2
    Resource.objects.filter(pk=resource.pk).update(recovery_ms=360_000, recovery_bytes=size, recovery_at=timezone.now())
    shown = body(as_(who).get(address)).replace("\N{NO-BREAK SPACE}", " ")
    assert "About 12 min, as measured on" in shown
    assert "as measured on" not in body(as_(who).get(address.replace("beside", "export")))
