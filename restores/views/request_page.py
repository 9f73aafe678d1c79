"""A request's page: what was asked, decided and done, whose turn it is, and what this person may do."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET
from django_htmx.http import reswap, retarget

from backups.drivers.base import Mode
from backups.kinds import driver_of
from portal.models import User
from portal.permissions import has_permission
from portal.roles import Permission
from portal.rules import refusal
from restores.actions.conversing import MOST_AT_ONCE
from restores.actions.inbox import is_following, mark_seen
from restores.conversation import conversation_of
from restores.forms import ExtendForm, SayForm, StartForm
from restores.models import RestoreRequest
from restores.permissions import (
    check_can_attach,
    check_can_comment,
    check_can_download,
    check_can_extend,
    check_can_note_internally,
    check_can_schedule,
)
from restores.picking import best_proof
from restores.plan import Tense
from restores.succession import recovering_it, replaced_since, to_replace_the_same
from restores.unpacking import export_name, unpacking_command
from restores.views.acts import Bound, acts_for
from restores.views.fetching import UNDER_WAY, person, request_or_404
from restores.views.live import finished_restore, live_of
from restores.wording import charge_sentence, loss_of, next_in_full, picked_words, request_sentence, tense_of, turn_of
from restores.workflow import Status

MOST_NAMED = 20
STOP_POLLING = 286  # htmx's own status: take this answer and ask no more


@require_GET
def request_page(http: HttpRequest, pk: int) -> HttpResponse:
    """The page."""
    found = request_or_404(person(http), pk)
    mark_seen(by=person(http), request=found)
    return show_request(http, found)


def show_request(
    http: HttpRequest,
    found: RestoreRequest,
    bound: Bound | None = None,
    *,
    status: int = 200,
    sentence: str = "",
    saying: SayForm | None = None,
) -> HttpResponse:
    """The page of a request, with the forms that came back with an error open, or a ``sentence`` about what went wrong."""
    context = {**request_context(http, found, bound), "refused": sentence}
    if saying is not None:
        context["saying"] = saying
    return render(http, "restores/request.html", context, status=status)


@require_GET
def request_live(http: HttpRequest, pk: int) -> HttpResponse:
    """What has moved since the page was shown as ``seen``: nothing (204), the steps, or the whole request."""
    found = request_or_404(person(http), pk)
    live = live_of(found, timezone.now())
    if http.GET.get("seen") == live.seen:
        moved = {"found": found, "live": live, "technical": _technical(http, found)}
        return render(http, "restores/_live.html", moved) if live.moving else HttpResponse(status=204)
    status = 200 if live.moving or live.waiting else STOP_POLLING
    answer = render(http, "restores/_request_changed.html", request_context(http, found), status=status)
    return retarget(reswap(answer, "outerHTML"), "#request")


def _technical(http: HttpRequest, found: RestoreRequest) -> bool:
    return has_permission(person(http), Permission.VIEW_TECHNICAL, found.client)


def request_context(http: HttpRequest, found: RestoreRequest, bound: Bound | None = None) -> dict[str, Any]:
    """Everything the page shows."""
    user, now = person(http), timezone.now()
    found.recovering = recovering_it(found)  # type: ignore[attr-defined]  # for the rules and the words
    done = finished_restore(found)
    acts = acts_for(user, found, now, bound)
    later = replaced_since(found)
    same = list(to_replace_the_same(found)[:MOST_NAMED]) if found.restore_mode is Mode.IN_PLACE else []
    return {
        "found": found,
        "sentence": request_sentence(found, now),
        "turn": "" if later else turn_of(found, user),
        "charge_sentence": charge_sentence(found),
        "estimate": found.estimate,
        "consents": found.consents.select_related("given_by"),
        "loss": loss_of(found, now),
        "picked": picked_words(found.resource, found.picked),
        "replaces": found.restore_mode is Mode.IN_PLACE,
        "will_replace": found.restore_mode is Mode.IN_PLACE
        and tense_of(found) is Tense.TO_DO
        and not found.facts.final,
        "driver": driver_of(found.resource.kind),
        "proof": best_proof(found.backup.present_copies),  # type: ignore[attr-defined]  # prefetched
        "events": found.events.select_related("by"),
        "live": live_of(found, now),
        "done": done,
        "where": done.place.get("beside", "") if done and found.restore_mode is Mode.BESIDE else "",
        "undone": found.state is Status.UNDONE,
        "next": next_in_full(found, now, user),
        "schedule": StartForm(auto_id="id-schedule-%s") if not refusal(check_can_schedule, user, found) else None,
        "extend": ExtendForm(auto_id="id-extend-%s") if not refusal(check_can_extend, user, found) else None,
        "acts": acts,
        "technical": _technical(http, found),
        "charge": _charge(http, found),
        **_conversation(user, found),
        "others": _others(found),
        "comes_first": [one for one in same if one.start_at is None or one.start_at <= now],
        "comes_later": [one for one in same if one.start_at is not None and one.start_at > now],
        "replaced_by": later,
        "owns": has_permission(user, Permission.ACCEPT_ESTIMATES, found.client),
        "may_follow": not user.is_service_account,
        "following": is_following(user, found),
        **_download(http, found),
    }


def _conversation(user: User, found: RestoreRequest) -> dict[str, Any]:
    """What was said, as the reader sees it, and how they may answer."""
    return {
        "conversation": conversation_of(found, user),
        "saying": SayForm(),
        "say_refusal": refusal(check_can_comment, user, found),
        "attach_refusal": refusal(check_can_attach, user, found),
        "notes_internally": not refusal(check_can_note_internally, user, found),
        "most_bytes": settings.ATTACHMENT_BYTES,
        "most_at_once": MOST_AT_ONCE,
    }


def _charge(http: HttpRequest, found: RestoreRequest) -> Any:
    if not has_permission(person(http), Permission.VIEW_CHARGES, found.client):
        return None
    return getattr(found, "charge", None)


def _others(found: RestoreRequest) -> list[RestoreRequest]:
    """Other requests on the same resource that wait or run."""
    return list(found.resource.restore_requests.filter(UNDER_WAY).exclude(pk=found.pk).order_by("pk")[:5])


def _download(http: HttpRequest, found: RestoreRequest) -> dict[str, Any]:
    """The export's part of the page; empty for other modes and before it is done."""
    if found.restore_mode is not Mode.EXPORT or finished_restore(found) is None:
        return {"export": False}
    file = export_name(found.resource.name, found.backup.taken_at, driver_of(found.resource.kind).export_suffix)
    return {
        "export": True,
        "export_refusal": refusal(check_can_download, person(http), found),
        "export_size": found.backup.artefact.get("size"),
        "unpacking": unpacking_command(found.resource.kind, file),
    }
