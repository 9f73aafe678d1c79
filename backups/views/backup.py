"""One backup: its facts, its copies, and its progress while it is taken."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRefresh

from backups.condition import condition_of_backup, condition_of_copy
from backups.models import Backup, Copy, CopyState
from portal.permissions import has_permission
from portal.roles import Permission


def seen_backup(request: HttpRequest, pk: int) -> Any:
    """The backup with its resource and copies (``kept``), if the person may see it; else 404."""
    found = (
        Backup.objects.visible_to(request.user)
        .select_related("resource__application__client", "requested_by")
        .prefetch_related(Prefetch("copies", Copy.objects.order_by("-created_at"), to_attr="kept"))
    )
    return get_object_or_404(found, pk=pk)


@require_safe
def backup(request: HttpRequest, pk: int) -> HttpResponse:
    """The backup's page."""
    found = seen_backup(request, pk)
    client = found.resource.client
    present = [copy for copy in found.kept if copy.state == CopyState.PRESENT]
    context = {
        "backup": found,
        "resource": found.resource,
        "condition": condition_of_backup(found, len(present)),
        "copies": [{"copy": copy, "condition": condition_of_copy(copy)} for copy in found.kept],
        "restorable": found.is_good and bool(present),
        "technical": has_permission(request.user, Permission.VIEW_TECHNICAL, client),
        "may_file": has_permission(request.user, Permission.FILE_REQUESTS, client),
    }
    return render(request, "backups/backup.html", context)


@require_safe
def live(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of a page that follows a backup. When it begins, and when it is over, the whole page is loaded anew."""
    found = seen_backup(request, pk)
    if not found.is_open or request.GET.get("seen", found.status) != found.status:
        return HttpResponseClientRefresh()
    return render(request, "backups/live.html", {"backup": found, "named": "named" in request.GET})
