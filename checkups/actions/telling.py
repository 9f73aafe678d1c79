"""What people are told of a checkup: that it waits for signatures, and that a task is theirs."""

from __future__ import annotations

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.template.loader import render_to_string
from django.utils import timezone

from checkups.models import Checkup, Task
from checkups.models.finding import FindingStatus
from checkups.workflow import Status
from portal.telling import tell_it
from portal.words import company_zone


def tell_ready(checkup_id: int) -> None:
    """Tell IT that a checkup is ready to be signed."""
    checkup = Checkup.objects.filter(pk=checkup_id, status=Status.READY.value).first()
    if checkup is not None:
        findings = checkup.findings
        failed = list(findings.filter(status=FindingStatus.FAILED)[:50])
        tell_it("checkup_ready", {"checkup": checkup, "number": findings.count(), "failed": failed})


def tell_task(finding_id: int) -> None:
    """Tell the owner of an open task what it is."""
    task = Task.objects.open().filter(finding=finding_id).select_related("finding__checkup", "owner").first()
    if task is None or not task.owner.email or not task.owner.is_active:
        return
    with timezone.override(company_zone()):
        text = render_to_string("mail/checkup_task.txt", {"task": task, "portal": settings.PORTAL_URL})
    subject, _, body = text.partition("\n")
    message = EmailMessage(subject.strip(), body.strip() + "\n", to=[task.owner.email])
    get_connection().send_messages([message])
