"""What people are told of a checkup: once, together, and again where a mail server failed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import transaction
from django.utils import timezone

from backups.findings import Code
from backups.models import Copy, CopyState, Finding, Resource
from checkups import tasks
from checkups.actions.reminding import look_at_the_year
from checkups.actions.running import check_again
from checkups.actions.settling import finish_if_done, settle_finding_row
from checkups.actions.signing import sign, standing, work_out
from checkups.actions.telling import tell_ready, tell_tasks
from checkups.models import CheckStatus, Checkup, CheckupFinding, Task
from portal.models import Membership
from tests.checkup_rows import AT, make_ready, make_signed
from tests.factories import Cast, make_cast, make_resource

IT = {"ivan-of-it@example.com", "iris-of-it@example.com"}
LATER = AT + timedelta(days=1)


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


@pytest.fixture
def ready(cast: Cast) -> Checkup:
    resources = [make_resource(cast.shop, "db"), make_resource(cast.news, "db"), make_resource(cast.shop, "files")]
    return make_ready(cast.it, resources, failing=["db"])


def at(moment: datetime) -> Any:
    return lambda: moment


def receivers() -> list[str]:
    return [one for message in mail.outbox for one in message.to]


def broken(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9  # nobody listens there


def test_the_owner_gets_one_mail_of_all_tasks(cast: Cast, ready: Checkup) -> None:
    assert tell_tasks(clock=at(LATER)) == 2
    assert receivers() == [cast.it.email]
    message = mail.outbox[0]
    assert message.subject == "Backups: 2 resources failed in a checkup, and are yours"
    for words in ("- db (Shopco) in CU-2026-11-15, until 22 Nov:", "- db (Mediaco)", "Restore none of it in place"):
        assert words in message.body
    for task in Task.objects.all():
        assert f"/checkups/{ready.pk}/findings/{task.finding_id}/" in message.body
    assert tell_tasks(clock=at(LATER)) == 0
    assert len(mail.outbox) == 1


def test_of_one_task_the_subject_says_which(cast: Cast, ready: Checkup) -> None:
    Task.objects.filter(finding__client="Mediaco").update(done_at=AT, outcome="It is seen to.")
    tell_tasks(clock=at(LATER))
    assert mail.outbox[0].subject == "Backups: db failed in CU-2026-11-15, and is yours until 22 Nov"


def test_what_opens_soon_after_is_told_together_within_the_hour(cast: Cast, ready: Checkup) -> None:
    _first, second = Task.objects.order_by("pk")
    Task.objects.filter(pk=second.pk).update(done_at=AT, outcome="It is seen to.")
    assert tell_tasks(clock=at(LATER)) == 1
    Task.objects.filter(pk=second.pk).update(done_at=None, outcome="")
    assert tell_tasks(clock=at(LATER + timedelta(minutes=5))) == 0
    assert tell_tasks(clock=at(LATER + timedelta(hours=1))) == 1
    assert len(mail.outbox) == 2


@pytest.mark.parametrize("gone", ["inactive", "no role"])
def test_whose_owner_is_gone_it_is_told_of(cast: Cast, ready: Checkup, gone: str) -> None:
    if gone == "inactive":
        cast.it.is_active = False
        cast.it.save()
    else:
        Membership.objects.filter(user=cast.it).delete()
    assert tell_tasks(clock=at(LATER)) == 2
    assert receivers() == [cast.second_it.email]
    assert mail.outbox[0].subject == "Backups: 2 tasks of Ivan, who cannot see to them any more"
    assert "Somebody of IT has to take over" in mail.outbox[0].body


def test_when_the_mail_server_fails_tasks_are_told_the_next_time(ready: Checkup, settings: Any) -> None:
    caught = settings.EMAIL_BACKEND
    broken(settings)
    with pytest.raises(OSError):
        tell_tasks(clock=at(LATER))
    settings.EMAIL_BACKEND = caught
    assert not Task.objects.filter(told_at__isnull=False).exists()
    assert tell_tasks(clock=at(LATER)) == 2


def test_it_is_told_once_that_a_checkup_waits_for_signatures(cast: Cast, ready: Checkup, settings: Any) -> None:
    caught = settings.EMAIL_BACKEND
    broken(settings)
    with pytest.raises(OSError):
        tell_ready()
    settings.EMAIL_BACKEND = caught
    assert tell_ready() == 1
    assert set(receivers()) == IT
    assert "CU-2026-11-15 waits for two signatures" in mail.outbox[0].subject
    assert tell_ready() == 0


def test_it_is_told_again_only_when_somebody_had_signed(cast: Cast, ready: Checkup) -> None:
    again = [finding for finding in ready.findings.all() if finding.status == "failed"]
    tell_ready()
    mail.outbox.clear()
    checked_once_more(cast, again[0])
    tell_ready()
    assert mail.outbox == []
    ready.refresh_from_db()
    said = "It is known, and seen to."
    sign(by=cast.second_it, checkup=ready, digest=standing(ready).digest, statement=said)
    checked_once_more(cast, again[1])
    tell_ready()
    assert set(receivers()) == IT
    assert "since Iris signed: what was signed counts no more" in mail.outbox[0].body.replace("\n", " ")
    mail.outbox.clear()
    checked_once_more(cast, again[0])
    tell_ready()
    assert mail.outbox == []


def checked_once_more(cast: Cast, finding: CheckupFinding) -> None:
    """It fails again, and the checkup is ready anew."""
    finding.refresh_from_db()
    Copy.objects.filter(backup__resource=finding.resource).update(state=CopyState.PRESENT)
    check_again(by=cast.it, finding=finding)
    with transaction.atomic():
        for check in finding.checks.filter(status="waiting"):
            check.status, check.sentence = CheckStatus.FAILED, "It failed once more."
            check.save()
        settle_finding_row(CheckupFinding.objects.select_related("checkup").get(pk=finding.pk), timezone.now())
    assert finish_if_done(Checkup.objects.get(pk=finding.checkup_id), timezone.now())
    work_out(Checkup.objects.get(pk=finding.checkup_id))


def test_nobody_is_told_to_sign_what_is_signed(cast: Cast) -> None:
    make_signed(cast.it, cast.second_it, [make_resource(cast.shop)])
    assert tell_ready() == 0


def test_the_hourly_reminder_tells_what_was_not_told(ready: Checkup) -> None:
    tasks.remind()
    assert {message.subject.split(":")[1][:14] for message in mail.outbox} >= {" CU-2026-11-15", " 2 resources f"}
    assert not Task.objects.filter(told_at=None).exists()


def late() -> set[str]:
    return set(Finding.objects.open().filter(code=Code.CHECKUP_TASK).values_list("sentence", flat=True))


def test_late_tasks_of_two_clients_are_two_findings(cast: Cast, ready: Checkup) -> None:
    now = AT + timedelta(days=30)
    look_at_the_year(now)
    found = late()
    assert len(found) == 2
    assert any("db of Shopco" in one for one in found)
    assert any("db of Mediaco" in one for one in found)
    before = set(Finding.objects.open().filter(code=Code.CHECKUP_TASK).values_list("pk", flat=True))
    look_at_the_year(now + timedelta(hours=1))
    assert set(Finding.objects.open().filter(code=Code.CHECKUP_TASK).values_list("pk", flat=True)) == before
    Task.objects.filter(finding__client="Mediaco").update(done_at=AT, outcome="It is seen to.")
    look_at_the_year(now + timedelta(hours=2))
    assert ["Shopco" in one for one in late()] == [True]


def test_beyond_the_most_it_is_always_the_longest_overdue(
    cast: Cast, ready: Checkup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("checkups.actions.reminding.MOST_LATE", 1)
    Task.objects.filter(finding__client="Mediaco").update(due_on=AT.date())
    for hours in range(3):
        look_at_the_year(AT + timedelta(days=30, hours=hours))
        assert ["Mediaco" in one for one in late()] == [True]
    assert Finding.objects.filter(code=Code.CHECKUP_TASK).count() == 1


def test_a_long_name_fits_beside_what_tells_it_apart(cast: Cast) -> None:
    name = "n" * 63
    resources: list[Resource] = [make_resource(cast.shop, name), make_resource(cast.news, name)]
    make_ready(cast.it, resources, failing=[name])
    look_at_the_year(AT + timedelta(days=30))
    assert len(late()) == 2
