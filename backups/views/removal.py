"""Removing a resource, over the exact list of what goes and what stays, and bringing one back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from backups.actions.removing import bring_back as bring_back_action
from backups.actions.removing import removal_plan, remove_resource
from backups.forms import RemoveForm
from backups.models import Resource, ResourceState
from backups.permissions import check_can_bring_back, check_can_remove
from backups.removal import removal_in_words
from backups.views.resource import seen_resource
from backups.views.resource_page import resource_page
from backups.views.resources import signed_in
from portal.errors import PortalError
from portal.forms import ReasonForm


@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """What goes and what stays; then the removal. A list that has changed meanwhile comes back with the sentence."""
    found, user = seen_resource(request, pk), signed_in(request)
    check_can_remove(user, found)
    if request.method != "POST":
        return _shown(request, found, RemoveForm(found.name), 200)
    form = RemoveForm(found.name, request.POST)
    if not form.is_valid():
        return _shown(request, found, form, 400)
    try:
        removed = remove_resource(by=user, resource=found, **form.cleaned_data)
    except PortalError as error:
        form.show(error)
        return _shown(request, found, form, error.status)
    messages.success(request, _done(removed))
    return redirect(found)


@require_POST
def bring_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Make it active again. Without a reason the page comes back with the dialog open."""
    found, user = seen_resource(request, pk), signed_in(request)
    check_can_bring_back(user, found)
    form, status = ReasonForm(request.POST, auto_id="id-bring-back-%s"), 400
    if form.is_valid():
        try:
            bring_back_action(by=user, resource=found, reason=form.cleaned_data["reason"])
        except PortalError as error:
            form.show(error)
            status = error.status
        else:
            messages.success(request, f"{found} is back, and backed up daily again.")
            return redirect(found)
    context = resource_page(user, found, request.GET, timezone.now(), bring_back_form=form)
    return render(request, "backups/resource.html", context, status=status)


def _shown(request: HttpRequest, found: Resource, form: RemoveForm, status: int) -> HttpResponse:
    return render(request, "backups/remove.html", _page(found, form, timezone.now()), status=status)


def _page(found: Resource, form: RemoveForm, now: datetime) -> dict[str, Any]:
    plan = removal_plan(found, now)
    return {"resource": found, "form": form, "plan": plan, "words": removal_in_words(found, plan, now)}


def _done(removed: Resource) -> str:
    if removed.state == ResourceState.REMOVING:
        return f"A final backup of {removed} is on its way. Then it is removed, whether that could be taken or not."
    return f"{removed} is removed. What goes is being deleted."
