"""One backup: its page, its progress while it is taken, and the holds that people place on it and release."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from backups.actions.holding import place_hold, release_hold
from backups.forms import HoldForm
from backups.models import Backup, Copy, Hold
from backups.permissions import check_can_hold, check_can_release
from backups.views.backup_page import OF_A_HOLD, backup_page, release_form
from backups.views.resources import signed_in
from portal.days import short_day
from portal.errors import InvalidInput
from portal.words import company_zone


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
    return _shown(request, seen_backup(request, pk))


@require_POST
def hold(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep the backup until a day. What cannot be used comes back beside its field."""
    found, user, form = seen_backup(request, pk), signed_in(request), HoldForm(request.POST)
    check_can_hold(user, found)
    if not form.is_valid():
        return _shown(request, found, hold_form=form)
    try:
        made = place_hold(by=user, backup=found, **form.cleaned_data)
    except InvalidInput as error:
        form.show(error)
        return _shown(request, found, hold_form=form)
    until = short_day(made.until, made.placed_at.astimezone(company_zone()).date())
    messages.success(request, f"It is held until {until}: nothing deletes it before.")
    return redirect("backup", pk)


@require_POST
def release(request: HttpRequest, pk: int) -> HttpResponse:
    """End a hold early."""
    found = get_object_or_404(Hold.objects.visible_to(request.user).select_related(*OF_A_HOLD), pk=pk)
    form = release_form(found, request.POST)
    check_can_release(signed_in(request), found)
    if not form.is_valid():
        return _shown(request, seen_backup(request, found.backup_id), released={found.pk: form})
    try:
        release_hold(by=signed_in(request), hold=found, **form.cleaned_data)
    except InvalidInput as error:
        form.show(error)
        return _shown(request, seen_backup(request, found.backup_id), released={found.pk: form})
    messages.success(request, "The hold is released: from now on the policy alone decides about this backup.")
    return redirect("backup", found.backup_id)


def _shown(request: HttpRequest, found: Backup, **forms: Any) -> HttpResponse:
    """The page; with the forms that came back with an error, if there are any."""
    context = backup_page(signed_in(request), found, timezone.now(), **forms)
    return render(request, "backups/backup.html", context, status=400 if forms else 200)


@require_safe
def live(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of a page that follows a backup. When it begins, and when it is over, the whole page is loaded anew."""
    found = seen_backup(request, pk)
    if not found.is_open or request.GET.get("seen", found.status) != found.status:
        return HttpResponseClientRefresh()
    return render(request, "backups/live.html", {"backup": found, "named": "named" in request.GET})
