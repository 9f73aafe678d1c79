"""Asking for a restore: what, from when, where to, why and who pays, on one page that unfolds."""

from __future__ import annotations

from dataclasses import replace

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from backups.drivers.base import Mode
from backups.models import Backup, Resource
from portal.entered import search_words
from portal.errors import NotPermitted, PortalError
from portal.permissions import has_permission_somewhere
from portal.roles import Permission
from portal.words import exact_time
from restores.actions.filing import file_request
from restores.charging import Cause
from restores.details import Details
from restores.forms import AskForm, MomentForm
from restores.permissions import check_can_file
from restores.picking import resources_to_ask_for
from restores.summary import summary_of
from restores.views.ask_context import (
    answers_of,
    asked_backup,
    asked_part,
    asked_resource,
    measured_part,
    page_context,
    picked,
)
from restores.views.fetching import person
from restores.wording import next_in_full


@require_http_methods(["GET", "POST"])
def request_new(http: HttpRequest) -> HttpResponse:
    """The page. POST files the request; with ``suggest`` it looks for the last good backup, with ``show`` it only shows."""
    user = person(http)
    if not has_permission_somewhere(user, Permission.FILE_REQUESTS):
        raise NotPermitted("Only clients, their staff and IT ask for restores. You can look at what was asked for.")
    backup = asked_backup(http)
    resource = asked_resource(http, backup)
    if resource is None:
        words = " ".join(search_words(http.GET.get("q", "")))
        return render(http, "restores/ask_what.html", {"words": words, "resources": resources_to_ask_for(user, words)})
    check_can_file(user, resource)
    if http.method == "POST" and not {"suggest", "show"} & http.POST.keys():
        return _file(http, resource, backup)
    return render(http, "restores/ask.html", page_context(http, resource, backup))


def _file(http: HttpRequest, resource: Resource, backup: Backup | None) -> HttpResponse:
    form, status = AskForm(http.POST), 400
    if form.is_valid() and backup is not None:
        answers = form.cleaned_data
        try:
            mode, cause = Mode(answers["mode"]), Cause(answers["cause"])
            filed = file_request(
                by=person(http),
                backup=backup,
                mode=mode,
                reason=answers["reason"],
                cause=cause,
                accepts=answers["accepts"],
                details=_details(form, http.POST),
                part=asked_part(http) or None,
            )
            messages.success(http, f"{filed.number} is filed. {next_in_full(filed, timezone.now(), person(http))}")
            return redirect(filed)
        except PortalError as error:
            form.show(error)
            status = error.status
    return render(http, "restores/ask.html", page_context(http, resource, backup, form), status=status)


def _details(form: AskForm, answers: QueryDict) -> Details:
    """As they were entered; the moment at which it went wrong says since when, where nothing else does."""
    details, moment = form.details(), MomentForm(answers).moment()
    if details.since_when.strip() or moment is None:
        return details
    return replace(details, since_when=exact_time(moment))


def show_ask(http: HttpRequest, resource: Resource | None, sentence: str) -> HttpResponse:
    """The page with a sentence about what is still missing; without a resource the search for one."""
    messages.warning(http, sentence)
    if resource is None:
        return redirect("request_new")
    return render(http, "restores/ask.html", page_context(http, resource, None))


@require_http_methods(["GET", "POST"])
def request_new_summary(http: HttpRequest) -> HttpResponse:
    """The sentence for what is picked so far; asked for by the page whenever a choice changes."""
    backup = asked_backup(http)
    resource = asked_resource(http, backup)
    if resource is None:
        return HttpResponse(status=204)
    answers = answers_of(http)
    mode, cause = picked(answers)
    part, _ = measured_part(backup, asked_part(http))
    summary = summary_of(resource, backup, mode, cause, timezone.now(), person(http), answers.get("accepts", ""), part)
    return render(http, "restores/_summary.html", {"summary": summary})


@require_http_methods(["GET", "POST"])
def request_new_backups(http: HttpRequest) -> HttpResponse:
    """The picker around the moment it went wrong; asked for by the page when that moment changes."""
    backup = asked_backup(http)
    resource = asked_resource(http, backup)
    if resource is None:
        return HttpResponse(status=204)
    return render(http, "restores/_picked.html", page_context(http, resource, backup))
