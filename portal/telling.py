"""Mail from templates below ``mail/``: to the people of IT, and letters to one person."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.text import Truncator

from portal.models import User
from portal.roles import Role
from portal.words import company_zone


def tell_it(template: str, context: dict[str, Any]) -> int:
    """Send to every active person of IT; how many. The template's first line is the subject, its times are the company's.

    Raises whatever the mail server raises: the caller tries again later.
    """
    with timezone.override(company_zone()):
        text = render_to_string(f"mail/{template}.txt", {**context, "portal": settings.PORTAL_URL})
    subject, _, body = text.partition("\n")
    people = User.objects.filter(
        is_active=True, is_service_account=False, memberships__role=Role.IT, email__gt=""
    ).distinct()
    messages = [EmailMessage(subject.strip(), body.strip() + "\n", to=[person.email]) for person in people]
    if messages:
        get_connection().send_messages(messages)
    return len(messages)


def letter(
    template: str, context: dict[str, Any], *, to: str, subject: str, thread: str = ""
) -> EmailMultiAlternatives:
    """One mail as text and HTML, from ``mail/<template>.txt`` and ``.html``; times are the company's. It is not sent yet.

    Mails of the same ``thread`` stand together in people's mailboxes. Nobody's absence is answered to it.
    """
    whole = {**context, "portal": settings.PORTAL_URL}
    with timezone.override(company_zone()):
        text, html = (render_to_string(f"mail/{template}.{form}", whole) for form in ("txt", "html"))
    headers = {
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "List-Unsubscribe": f"<{settings.PORTAL_URL}{reverse('preferences')}>",
    }
    if thread:
        host = urlsplit(settings.PORTAL_URL).hostname or "localhost"
        headers["In-Reply-To"] = headers["References"] = f"<{thread.lower()}@{host}>"
    one_line = Truncator(" ".join(subject.split())).chars(150)
    message = EmailMultiAlternatives(one_line, text.strip() + "\n", to=[to], headers=headers)
    message.attach_alternative(html, "text/html")
    return message
