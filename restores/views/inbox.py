"""A person's inbox, what they want by mail, and which requests they follow."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Case, IntegerField, Value, When
from django.forms import model_to_dict
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.paging import Column, read_page
from portal.rules import refusal
from restores.actions import inbox as actions
from restores.forms import PreferencesForm
from restores.models import Notice, preferences_of
from restores.permissions import check_can_be_told
from restores.views.fetching import person, request_or_404

READ = Case(When(read_at__isnull=True, then=Value(0)), default=Value(1), output_field=IntegerField())
UNREAD_FIRST = (Column("read"), Column("pk", descending=True))


@require_GET
def inbox(http: HttpRequest) -> HttpResponse:
    """What the person was told, unread first, the newest first."""
    own = Notice.objects.visible_to(person(http)).annotate(read=READ)
    page = read_page(own.select_related("request__client", "request__resource"), UNREAD_FIRST, http.GET)
    return render(http, "restores/inbox.html", {"page": page})


@require_POST
def notice_read(http: HttpRequest, pk: int) -> HttpResponse:
    """One is read."""
    user = person(http)
    actions.mark_read(by=user, notice=get_object_or_404(Notice.objects.visible_to(user), pk=pk))
    return redirect("inbox")


@require_POST
def notices_read(http: HttpRequest) -> HttpResponse:
    """All are read."""
    actions.mark_read(by=person(http))
    return redirect("inbox")


@require_http_methods(["GET", "HEAD", "POST"])
def preferences(http: HttpRequest) -> HttpResponse:
    """What the person wants by mail."""
    user = person(http)
    form = PreferencesForm(http.POST if http.method == "POST" else None, initial=model_to_dict(preferences_of(user)))
    if http.method == "POST" and form.is_valid():
        actions.choose(by=user, **form.cleaned_data)
        messages.success(http, "Your preferences are saved.")
        return redirect("preferences")
    refused = refusal(check_can_be_told, user)
    return render(http, "restores/preferences.html", {"form": form, "refused": refused, "address": user.email})


@require_POST
def request_follow(http: HttpRequest, pk: int) -> HttpResponse:
    """Be told of each change."""
    found = request_or_404(person(http), pk)
    actions.follow(by=person(http), request=found)
    messages.success(http, f"You follow {found.number}: you are told of each change.")
    return redirect(found)


@require_POST
def request_unfollow(http: HttpRequest, pk: int) -> HttpResponse:
    """Be told only when it is one's turn."""
    found = request_or_404(person(http), pk)
    actions.unfollow(by=person(http), request=found)
    messages.success(http, f"You do not follow {found.number} any more. You are told when it is your turn.")
    return redirect(found)
