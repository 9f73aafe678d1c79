"""One resource: its page, taking a backup now, registering a new one."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from backups.actions.registering import register_resource
from backups.actions.taking import request_backup
from backups.actions.taking_in import proposals_for
from backups.filters import listed
from backups.forms import SETTING, BackUpForm, RegisterForm
from backups.kinds import KINDS, driver_of
from backups.models import Discovered, Resource
from backups.permissions import check_can_register
from backups.views.resource_page import resource_page
from backups.views.resources import signed_in
from portal.entered import whole_number
from portal.errors import InvalidInput


def seen_resource(request: HttpRequest, pk: int) -> Resource:
    """The resource, if the person may see it; else 404."""
    return get_object_or_404(listed(request.user), pk=pk)


@require_safe
def resource(request: HttpRequest, pk: int) -> HttpResponse:
    """The resource's page."""
    found = seen_resource(request, pk)
    return render(
        request, "backups/resource.html", resource_page(signed_in(request), found, request.GET, timezone.now())
    )


@require_POST
def back_up(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a backup now. Without a reason the page comes back with the dialog open."""
    found, user = seen_resource(request, pk), signed_in(request)
    form = BackUpForm(request.POST)
    if form.is_valid():
        try:
            backup = request_backup(by=user, resource=found, reason=form.cleaned_data["reason"])
        except InvalidInput as error:
            form.add_error("reason", error.sentence)
        else:
            messages.success(request, f"A backup of {found} is on its way. This page follows it.")
            return redirect("backup", backup.pk)
    context = resource_page(user, found, request.GET, timezone.now(), back_up_form=form)
    return render(request, "backups/resource.html", context, status=400)


@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    """Register a resource: choose its kind, then say where it is. The driver looks before anything is saved."""
    user, kind = signed_in(request), request.GET.get("kind", "")
    check_can_register(user, None)
    if not kind:
        return render(request, "backups/register_kind.html", {"drivers": KINDS.values()})
    driver = driver_of(kind)
    form = RegisterForm(user, kind, request.POST if request.method == "POST" else None, _initial(request, kind))
    if form.is_bound and form.is_valid():
        try:
            made = register_resource(by=user, **form.given())
        except InvalidInput as error:
            form.blame(error)
        else:
            messages.success(request, f"{made} is registered. Its first backup is on its way.")
            return redirect(made)
    status = 400 if form.is_bound else 200
    return render(request, "backups/register.html", {"form": form, "driver": driver}, status=status)


def _initial(request: HttpRequest, kind: str) -> dict[str, str]:
    """What is known of something that discovery found, when the address names it."""
    pk = whole_number(request.GET.get("found", "")) or 0
    found = (
        Discovered.objects.visible_to(request.user).filter(pk=pk, kind=kind).select_related("region__account").first()
    )
    if found is None:
        return {}
    proposal = proposals_for([found])[found.pk]
    return {
        "name": proposal.name,
        "application": proposal.application.pk if proposal.application else "",
        "environment": proposal.environment,
        "home_region": found.region.name,
        "other_region": proposal.other_region,
        **{SETTING + name: value for name, value in found.settings.items()},
    }
