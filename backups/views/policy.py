"""The policy in words, with today's figures."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from backups.compliance import shares_now
from backups.condition import late
from backups.models import Resource, ResourceState
from backups.permissions import check_can_view_compliance
from portal.permissions import Person
from portal.rules import allowed


def figures_of(user: Person) -> dict[str, Any]:
    """How many resources the person sees: ``resources``, with a good backup, late, vanished. One query.

    ``broken``: those that break a rule otherwise, also after their removal.
    """
    active, vanished, is_late = Q(state=ResourceState.ACTIVE), Q(state=ResourceState.VANISHED), late(timezone.now())
    return Resource.objects.visible_to(user).aggregate(
        resources=Count("pk", filter=~Q(state=ResourceState.REMOVED)),
        backed_up=Count("pk", filter=~Q(state=ResourceState.REMOVED) & Q(last_good_at__isnull=False)),
        late=Count("pk", filter=is_late),
        none=Count("pk", filter=active & Q(last_good_at__isnull=True)),
        vanished=Count("pk", filter=vanished),
        broken=Count("pk", filter=Q(broken_rules__gt=0) & ~(is_late | vanished)),
    )


@require_safe
def policy(request: HttpRequest) -> HttpResponse:
    """The rules, how each is kept, and today's figures of what the person may see."""
    now = timezone.now()
    context: dict[str, Any] = {
        "figures": figures_of(request.user),
        "window": window_in_words(),
        "nightly_hour": settings.NIGHTLY_HOUR,
        "limit_percent": settings.RETENTION_LIMIT_PERCENT,
    }
    if allowed(check_can_view_compliance, request.user):
        context["shares"] = shares_now(now)
    return render(request, "backups/policy.html", context)


def window_in_words() -> str:
    """When daily backups are begun: "between 20:00 and 04:00"; "around the clock" when the window is a whole day."""
    start, length = settings.BACKUP_WINDOW
    if length >= timedelta(days=1):
        return "around the clock"
    end = datetime.combine(date.min, start) + length
    return f"between {start:%H:%M} and {end:%H:%M}"
