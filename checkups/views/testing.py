"""“Test this backup”: asking for it, and the page of a trial while it runs and after."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRefresh

from backups.kinds import driver_of
from backups.models import Backup
from backups.proof import Proof
from checkups.actions.testing import request_test
from checkups.forms import TestForm
from checkups.models import ApplicationCheck
from checkups.models.trial import OPEN
from checkups.permissions import check_can_test
from checkups.scope import level_of
from checkups.views.fetching import backup_or_404, person, trial_or_404
from portal.errors import PortalError
from portal.permissions import has_permission
from portal.roles import Permission


def form_to_test(backup: Backup, data: QueryDict | None = None) -> TestForm:
    """The form for a backup with its present copies (``backup.present``)."""
    home = backup.resource.home_region
    regions = sorted({copy.region for copy in backup.present}, key=lambda region: (region != home, region))  # type: ignore[attr-defined]
    words = [(region, f"{region}, {'its home' if region == home else 'the other region'}") for region in regions]
    return TestForm(data, auto_id="id-test-%s", regions=words)


def level_to_reach(backup: Backup) -> Proof:
    """How far a test of it goes."""
    answers = ApplicationCheck.objects.filter(resource=backup.resource_id).exists()
    return level_of(driver_of(backup.resource.kind).proves, restored=True, answers=answers)


@require_http_methods(["GET", "POST"])
def test_backup(http: HttpRequest, pk: int) -> HttpResponse:
    """The form on a page of its own, for where the dialog cannot be; and doing it."""
    user = person(http)
    backup = backup_or_404(user, pk)
    check_can_test(user, backup)
    form, status = form_to_test(backup, http.POST if http.method == "POST" else None), 200
    if http.method == "POST":
        status = 400
        if form.is_valid():
            try:
                return redirect("trial", request_test(by=user, backup=backup, **form.cleaned_data).pk)
            except PortalError as error:
                form.show(error)
                status = error.status
    context = {"backup": backup, "resource": backup.resource, "form": form, "level": level_to_reach(backup)}
    return render(http, "checkups/test.html", context, status=status)


@require_safe
def trial(http: HttpRequest, pk: int) -> HttpResponse:
    """The trial's page."""
    return render(http, "checkups/trial.html", _context(http, pk))


@require_safe
def trial_live(http: HttpRequest, pk: int) -> HttpResponse:
    """Its steps anew while it runs; when its status changes the whole page is loaded anew."""
    context = _context(http, pk)
    if not context["moving"] or http.GET.get("seen") != context["trial"].status:
        return HttpResponseClientRefresh()
    return render(http, "checkups/_trial_live.html", context)


def _context(http: HttpRequest, pk: int) -> dict[str, Any]:
    user = person(http)
    found = trial_or_404(user, pk)
    technical = has_permission(user, Permission.VIEW_TECHNICAL, found.resource.client)
    backup = found.copy.backup if found.copy else found.check_row.backup if found.check_row else None
    return {"trial": found, "backup": backup, "moving": found.status in OPEN, "technical": technical}
