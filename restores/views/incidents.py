"""Incidents: the list, declaring one, and its board."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from backups.drivers.base import Mode
from backups.models import Backup, Resource
from portal.errors import PortalError
from portal.models import User
from portal.paging import Column, read_page
from portal.permissions import has_permission
from portal.roles import Permission
from portal.rules import refusal
from portal.words import counted
from restores.actions.incident_choosing import digest_of, latest_backups
from restores.actions.incident_next import next_of_rows
from restores.actions.incidents import affected_by, declare, extend
from restores.actions.zabbix import unknown_hosts
from restores.incident_board import (
    events_told,
    figures_of,
    hazard_told,
    items_seen,
    present_regions,
    regions_read,
    rows_of,
    sees_all,
    with_counts,
)
from restores.incident_forms import Affected, HazardForm
from restores.incident_permissions import check_can_change_list, check_can_declare, check_can_see_incidents, is_at_rest
from restores.incident_workflow import IncidentStatus, turn_and_next
from restores.models import Incident
from restores.models.incident import INCIDENT_MODES, MOST_AT_ONCE
from restores.succession import approved_to_replace
from restores.views.fetching import person
from restores.views.incident_acts import IncidentBound, incident_acts
from restores.views.narrowing import form_to_choose, is_sent

NEWEST_FIRST = (Column("declared_at", descending=True), Column("pk", descending=True))
IN_ORDER = (Column("position"), Column("pk"))
PREVIEWED = 200
MOST_NAMED = 10
STOP_POLLING = 286  # htmx's own status: take this answer and ask no more


def incidents_seen_by(user: User) -> QuerySet[Incident]:
    """Those that the person may see, with what the pages say about them."""
    return Incident.objects.visible_to(user).select_related("declared_by", "confirmed_by", "closed_by", "zabbix_event")


def incident_or_404(user: User, pk: int) -> Incident:
    """One of them."""
    return get_object_or_404(incidents_seen_by(user), pk=pk)


@require_GET
def incidents(http: HttpRequest) -> HttpResponse:
    """The list, newest first."""
    user = person(http)
    check_can_see_incidents(user)
    page = read_page(with_counts(incidents_seen_by(user), user), NEWEST_FIRST, http.GET)
    context = {
        "page": page,
        "rows": [(found, hazard_told(user, found)) for found in page.rows],
        "why_not_declare": refusal(check_can_declare, user),
        "may_manage": has_permission(user, Permission.MANAGE_INCIDENTS, None),
    }
    return render(http, "restores/incidents.html", context)


@require_http_methods(["GET", "POST"])
def incident_new(http: HttpRequest) -> HttpResponse:
    """Choose what a hazard affects, see each resource's backup and data-loss window, declare it."""
    user = person(http)
    check_can_declare(user)
    picked = {"applications": http.GET.getlist("applications"), "resources": http.GET.getlist("resources")}
    form = form_to_choose(HazardForm, http, picked)
    context: dict[str, Any] = {"form": form}
    if not is_sent(http):
        return render(http, "restores/incident_new.html", context)
    valid = form.is_valid()
    if "preview" in http.POST or not valid:
        status = 200 if "preview" in http.POST else 400
        if status == 200:
            form.errors.pop("hazard", None)  # it may still be empty while one only looks
        return render(http, "restores/incident_new.html", context | _preview(form), status=status)
    entered = form.cleaned_data
    try:
        made = declare(
            by=user,
            hazard=entered["hazard"],
            resources=_affected(form),
            lost_region=entered["region"],
            began_at=entered["began_at"],
            concurrency=entered["concurrency"],
        )
    except PortalError as error:
        form.show(error)
        return render(http, "restores/incident_new.html", context | _preview(form), status=error.status)
    messages.success(http, f"{made.number} is declared. Nothing runs yet: read the list, then confirm it.")
    return redirect(made)


def _affected(form: Affected) -> QuerySet[Resource]:
    entered = form.cleaned_data
    return affected_by(
        region=entered.get("region", ""),
        applications=[one.pk for one in entered.get("applications", ())],
        resources=[one.pk for one in entered.get("resources", ())],
    )


def _preview(form: HazardForm) -> dict[str, Any]:
    """What would be affected, each with its latest good backup."""
    found = _affected(form).select_related("application__client").order_by("name", "pk")
    shown, region = list(found[:PREVIEWED]), form.cleaned_data.get("region", "")
    choices = latest_backups([one.pk for one in shown], region)
    backups = Backup.objects.in_bulk([one.backup for one in choices.values() if one.backup])
    rows = [(one, backups.get(choices[one.pk].backup or 0), choices[one.pk].why_not) for one in shown]
    return {"previewed": True, "preview": rows, "number": found.count(), "now": timezone.now()}


@require_http_methods(["GET", "POST"])
def incident_extend(http: HttpRequest, pk: int) -> HttpResponse:
    """Add what is affected as well, before the list is confirmed."""
    user, found = person(http), incident_or_404(person(http), pk)
    check_can_change_list(user, found)
    form, status = form_to_choose(Affected, http, {}), 200
    if is_sent(http):
        status = 400
        if form.is_valid():
            try:
                added = extend(by=user, incident=found, resources=_affected(form))
            except PortalError as error:
                form.show(error)
                status = error.status
            else:
                messages.success(http, f"{found.number}: {counted(added, 'resource')} added.")
                return redirect(found)
    return render(http, "restores/incident_extend.html", {"found": found, "form": form}, status=status)


@require_GET
def incident_page(http: HttpRequest, pk: int) -> HttpResponse:
    """The board."""
    return show_incident(http, incident_or_404(person(http), pk))


def show_incident(
    http: HttpRequest, found: Incident, bound: IncidentBound | None = None, *, status: int = 200, sentence: str = ""
) -> HttpResponse:
    """The board, with the forms that came back with an error open, or a ``sentence`` about what went wrong."""
    context = {**board_context(http, found, bound), "refused": sentence}
    return render(http, "restores/incident.html", context, status=status)


@require_GET
def incident_live(http: HttpRequest, pk: int) -> HttpResponse:
    """The board anew, as long as the incident lasts."""
    found = incident_or_404(person(http), pk)
    status = STOP_POLLING if found.facts.final else 200
    return render(http, "restores/_incident.html", board_context(http, found, None), status=status)


def board_context(http: HttpRequest, found: Incident, bound: IncidentBound | None) -> dict[str, Any]:
    """Everything the board shows."""
    user, now = person(http), timezone.now()
    page = read_page(items_seen(user, found), IN_ORDER, http.GET)
    rows = rows_of(user, found, page.rows, now)
    unconfirmed = found.state in (IncidentStatus.PROPOSED, IncidentStatus.OPEN)
    inside, figures = sees_all(user), figures_of(user, found)
    turn, then = turn_and_next(found.state, at_rest=is_at_rest(found), lacking=figures.lacking)
    nexts = next_of_rows(user, found, [(row.item, row.request) for row in rows])
    return {
        "found": found,
        "hazard": hazard_told(user, found),
        "page": page,
        "rows": rows,
        "nexts": nexts,
        "regions": present_regions(page.rows, found.lost_region),
        "reading": regions_read(found),
        "figures": figures,
        "clock": _clock(found, now),
        "events": events_told(user, found),
        "may_arrange": not refusal(check_can_change_list, user, found),
        "modes": [(mode.value, label) for mode, label in INCIDENT_MODES.items()],
        "most_at_once": MOST_AT_ONCE,
        "inside": inside,
        "unknown": unknown_hosts(found) if inside else [],
        "event": getattr(found, "zabbix_event", None) if inside else None,
        "unconfirmed": unconfirmed,
        "turn": turn,
        "next": then,
        "recalled": _recalled(found) if unconfirmed and inside else [],
        "moving": found.state is IncidentStatus.RECOVERING,
        "acts": incident_acts(user, found, rows, bound, digest_of(found) if unconfirmed else ""),
    }


def _recalled(found: Incident) -> list[str]:
    """Whose approvals end with it: other requests that were approved to replace what it brings back in place."""
    replaced = found.affected.included().filter(backup__isnull=False, mode=Mode.IN_PLACE.value).values("resource")
    others = approved_to_replace(replaced)
    more = others.count() - MOST_NAMED
    return [*(one.number for one in others[:MOST_NAMED]), *([f"{more:,} more"] if more > 0 else [])]


def _clock(found: Incident, now: datetime) -> Any:
    """How long the hazard has lasted, or did."""
    return (found.closed_at or now) - found.began_at
