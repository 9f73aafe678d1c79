"""Mail to the people of IT, from templates below ``mail/``."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.template.loader import render_to_string
from django.utils import timezone

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
