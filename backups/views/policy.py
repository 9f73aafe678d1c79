"""The policy in words, with today's figures."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from backups.condition import late
from backups.models import Resource, ResourceState
from portal.permissions import Person


def figures_of(user: Person) -> dict[str, Any]:
    """How many resources the person sees: ``resources``, with a good backup, late, and vanished. One query."""
    active = Q(state=ResourceState.ACTIVE)
    return Resource.objects.visible_to(user).aggregate(
        resources=Count("pk", filter=~Q(state=ResourceState.REMOVED)),
        backed_up=Count("pk", filter=~Q(state=ResourceState.REMOVED) & Q(last_good_at__isnull=False)),
        late=Count("pk", filter=late(timezone.now())),
        none=Count("pk", filter=active & Q(last_good_at__isnull=True)),
        vanished=Count("pk", filter=Q(state=ResourceState.VANISHED)),
    )


@require_safe
def policy(request: HttpRequest) -> HttpResponse:
    """The rules, how each is kept, and today's figures of what the person may see."""
    return render(request, "backups/policy.html", {"figures": figures_of(request.user)})
