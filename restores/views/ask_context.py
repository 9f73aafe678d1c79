"""What the page that asks for a restore shows: the choices, what is picked, and what each choice means."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, QueryDict
from django.shortcuts import get_object_or_404
from django.utils import timezone

from backups.drivers.base import Mode
from backups.kinds import driver_of
from backups.models import Backup, Resource
from portal.entered import whole_number
from portal.errors import PortalError
from portal.rules import refusal
from restores.actions.parts import measured
from restores.charging import Cause
from restores.details import DETAIL_LABELS
from restores.forms import AskForm, MomentForm
from restores.part import Picked
from restores.permissions import check_restorable
from restores.picking import choices
from restores.summary import cause_options, mode_options, summary_of
from restores.views.fetching import person, resource_or_404
from restores.wording import picked_words


def answers_of(http: HttpRequest) -> QueryDict:
    """Where the answers given so far stand: the form on POST, the address on GET."""
    return http.POST if http.method == "POST" else http.GET


def asked_backup(http: HttpRequest) -> Backup | None:
    """The backup that was picked; 404 when there is none that the person may see, None when none was picked."""
    pk = whole_number(answers_of(http).get("backup", ""))
    if pk is None:
        return None
    seen = Backup.objects.visible_to(person(http)).select_related("resource__application__client")
    return get_object_or_404(seen, pk=pk)


def asked_resource(http: HttpRequest, backup: Backup | None) -> Resource | None:
    """The resource that was picked, by itself or by its backup; 404 when the two do not belong together."""
    given = answers_of(http).get("resource", "")
    if not given:
        return backup.resource if backup else None
    pk = whole_number(given)
    if pk is None or (backup is not None and backup.resource_id != pk):
        raise Http404("There is no such resource, or the backup is not one of it.")
    return backup.resource if backup else resource_or_404(person(http), pk)


def asked_part(http: HttpRequest) -> list[str]:
    """The keys that are picked; none when everything is asked for."""
    answers = answers_of(http)
    return [] if answers.get("show") == "everything" else answers.getlist("part")


def measured_part(backup: Backup | None, part: list[str]) -> tuple[Picked | None, str]:
    """What a part comes to, or why it cannot be asked for: a sentence, empty where nothing is wrong."""
    if backup is None or not part:
        return None, ""
    try:
        return measured(backup, part), ""
    except PortalError as error:
        return None, error.sentence


def picked(answers: QueryDict) -> tuple[Mode | None, Cause | None]:
    """The mode and the cause that are picked, where they are."""
    mode, cause = answers.get("mode", ""), answers.get("cause", "")
    return (Mode(mode) if mode in set(Mode) else None, Cause(cause) if cause in set(Cause) else None)


def page_context(
    http: HttpRequest, resource: Resource, backup: Backup | None, form: AskForm | None = None
) -> dict[str, Any]:
    """The whole page for a resource. ``form`` carries the errors of an answer that was sent."""
    now, answers = timezone.now(), answers_of(http)
    moment = MomentForm(answers if "went_wrong" in answers else None)
    shown = choices(resource, now, moment.moment(), backup.pk if backup else None)
    suggestion = next((choice.backup for choice in shown if choice.suggested), None)
    unusable = refusal(check_restorable, backup) if backup else ""
    if "suggest" in answers and suggestion is not None:
        backup, unusable = suggestion, ""
    elif unusable:
        backup = None
    mode, cause = picked(answers)
    part = asked_part(http)
    mode = mode if mode and not part else Mode.BESIDE
    measure, part_refused = measured_part(backup, part)
    return {
        "takes_part": driver_of(resource.kind).parts is not None,
        "part": part,
        "part_words": picked_words(resource, measure),
        "part_refused": part_refused,
        "resource": resource,
        "form": form or AskForm(initial={name: answers.get(name, "") for name in ("reason", *DETAIL_LABELS)}),
        "moment": moment,
        "went_wrong": moment.moment(),
        "choices": shown,
        "suggestion": suggestion,
        "picked": backup.pk if backup else None,
        "unusable": unusable,
        "modes": mode_options(
            resource, driver_of(resource.kind), mode.value, settings.EXPORT_DAYS, only_part=bool(part)
        ),
        "causes": cause_options(cause.value if cause else ""),
        "summary": summary_of(resource, backup, mode, cause, now, person(http), answers.get("accepts", ""), measure),
        "zone": settings.POLICY_TIME_ZONE,
    }
