"""Going on with the next good backup of one resource of an incident: what would be done, and a yes to exactly that."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from backups.drivers.base import Mode
from portal.errors import PortalError
from restores.actions.incident_next import NextBackup, next_of_rows, restore_next
from restores.incident_board import items_seen, marks_of, present_regions, rows_of
from restores.incident_forms import ConfirmForm
from restores.incident_permissions import check_can_restore_next, check_is_stuck
from restores.models import Incident
from restores.views.fetching import person
from restores.views.incidents import incident_or_404
from restores.wording import sentence_of


@require_http_methods(["GET", "POST"])
def incident_next(http: HttpRequest, pk: int, resource: int) -> HttpResponse:
    """Show the next good backup with what is lost by it; confirm it, and it starts in its turn."""
    user, found, now = person(http), incident_or_404(person(http), pk), timezone.now()
    item = get_object_or_404(items_seen(user, found), resource=resource)
    check_can_restore_next(user, found)
    refused: PortalError | None = None
    if http.method == "POST":
        typed = {name: http.POST.get(name, "") for name in ("digest", "typed_number")}
        try:
            made = restore_next(by=user, incident=found, resource=resource, **typed)
        except PortalError as error:
            refused = error
        else:
            messages.success(http, f"{made.number} is approved: {item.resource} is restored in its turn.")
            return redirect(found)
    (row,) = rows_of(user, found, [item], now)
    if refused is None:
        check_is_stuck(item, row.request)
    offered = next_of_rows(user, found, [(item, row.request)]).get(resource)
    context = {"found": found, "row": row, "offered": offered, "form": _form(found, offered, http.POST, refused)}
    if offered and offered.backup:
        item.backup = offered.backup
        context |= {
            "sentence": sentence_of(item.resource.name, offered.backup, Mode(item.mode), now),
            "region": present_regions([item], found.lost_region).get(offered.backup.pk, ""),
            "marks": marks_of(found, [item])[resource],
        }
    return render(http, "restores/incident_next.html", context, status=refused.status if refused else 200)


def _form(found: Incident, offered: NextBackup | None, sent: QueryDict, refused: PortalError | None) -> ConfirmForm:
    """With the digest of what the page is about to show, and what was typed when it comes back with a sentence."""
    shown = {"digest": offered.digest if offered else ""}
    form = ConfirmForm({**sent.dict(), **shown}) if refused else ConfirmForm(initial=shown)
    if offered and offered.needs_typed_number:
        form.fields["typed_number"].label = f"Type {found.number}: live data of production is replaced"
    else:
        del form.fields["typed_number"]
    if refused is not None:
        form.show(refused)
    return form
