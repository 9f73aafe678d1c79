"""What people are told of a checkup: that it waits for signatures, and which tasks are theirs.

Whom nobody has told yet is in the rows, so what could not be sent is sent the next time, and two at once tell once.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.template.loader import render_to_string
from django.utils import timezone

from backups.actions.taking import Clock
from checkups.actions.versions import known_digest
from checkups.models import Checkup, Task
from checkups.models.finding import FindingStatus
from checkups.workflow import Status
from portal.models import User
from portal.permissions import has_permission
from portal.roles import Permission
from portal.telling import tell_it
from portal.words import company_zone

MOST = 50  # named in one mail

AT_MOST_EVERY = timedelta(minutes=55)
"""A checkup opens tasks one by one: who was just told of some is told of the rest together, by the hourly reminder."""


def tell_ready(*, clock: Clock = timezone.now) -> int:
    """Tell IT of checkups that are ready to be signed, of each once, and again when signatures count no more; how many."""
    now, told = clock(), 0
    untold = Checkup.objects.filter(status=Status.READY.value, told_ready_at__isnull=True)
    for checkup in untold.order_by("pk"):
        if checkup.signatures.exists() and not known_digest(checkup):
            continue  # which of them count is not known yet: whoever works that out has it told
        if not untold.filter(pk=checkup.pk).update(told_ready_at=now):
            continue
        findings = checkup.findings
        failed = list(findings.filter(status=FindingStatus.FAILED)[:MOST])
        try:
            mended = findings.filter(status=FindingStatus.PASSED, failed_at__isnull=False).count()
            void = (
                checkup.signatures.exclude(sha256=checkup.content_sha256).order_by("pk").values_list("name", flat=True)
            )
            context = {
                "checkup": checkup, "number": findings.count(), "failed": failed, "mended": mended,
                "void": list(dict.fromkeys(void)),
            }  # fmt: skip
            tell_it("checkup_ready", context)
        except Exception:
            Checkup.objects.filter(pk=checkup.pk, told_ready_at=now, sealed_at__isnull=True).update(told_ready_at=None)
            raise
        told += 1
    return told


def tell_tasks(*, clock: Clock = timezone.now) -> int:
    """Tell the owners of open tasks that nobody told them of, in one mail each; of how many tasks.

    Where the owner is gone, or sees to checkups no more, all of IT is told. What cannot be sent to one person keeps no mail
    to another back.
    """
    now, told = clock(), 0
    errors: list[Exception] = []
    untold = Task.objects.open().filter(told_at__isnull=True)
    for owner in User.objects.filter(pk__in=untold.values("owner")).order_by("pk"):
        if Task.objects.filter(owner=owner, told_at__gt=now - AT_MOST_EVERY, told_at__lt=now).exists():
            continue
        if not untold.filter(owner=owner).update(told_at=now):
            continue
        sent = 0
        try:
            sent = _tell_of(owner, now)
        except Exception as error:  # any fault of any mail server, raised below
            errors.append(error)
        if not sent:
            Task.objects.filter(owner=owner, told_at=now).update(told_at=None)
        told += sent
    if errors:
        raise errors[0]
    return told


def _tell_of(owner: User, now: datetime) -> int:
    """Of how many tasks the owner, or IT, was told; none where there was nobody to tell."""
    mine = Task.objects.open().filter(owner=owner, told_at=now)
    number = mine.count()
    tasks = list(mine.select_related("finding__checkup").order_by("due_on", "pk")[:MOST])
    if not tasks:
        return 0
    context = {"tasks": tasks, "number": number, "more": number - len(tasks), "first": tasks[0], "owner": owner}
    if not (owner.is_active and owner.email and has_permission(owner, Permission.MANAGE_CHECKUPS, None)):
        return number if tell_it("checkup_task", {**context, "left": True}) else 0
    _send(owner, context)
    return number


def _send(owner: User, context: dict[str, Any]) -> None:
    with timezone.override(company_zone()):
        text = render_to_string("mail/checkup_task.txt", {**context, "portal": settings.PORTAL_URL})
    subject, _, body = text.partition("\n")
    message = EmailMessage(subject.strip(), body.strip() + "\n", to=[owner.email])
    get_connection().send_messages([message])
