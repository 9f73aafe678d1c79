"""How a restored copy of a resource is asked whether the application works on it: saying it, and no longer asking."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from backups.kinds import driver_of
from backups.models import Resource
from checkups.actions.howtoask import newest_good, say_and_try, stop_asking
from checkups.forms import AskingForm
from checkups.models import ApplicationCheck, Asking
from checkups.permissions import check_can_say_how_to_ask, check_can_try
from checkups.placeholders import placeholders_of
from checkups.views.fetching import person, resource_or_404
from portal.errors import PortalError
from portal.forms import ReasonForm, SentenceForm
from portal.rules import refusal


@require_http_methods(["GET", "POST"])
def asking(http: HttpRequest, pk: int) -> HttpResponse:
    """The form, with what is asked now. Where it is to be tried, the answer leads to the trial's page."""
    user = person(http)
    resource = resource_or_404(user, pk)
    check_can_say_how_to_ask(user, resource)
    row = ApplicationCheck.objects.filter(resource=resource).first()
    if http.method != "POST":
        return _show(http, resource, row, _form_of(resource, row))
    form = AskingForm(http.POST, by_sql=driver_of(resource.kind).answers)
    if not form.is_valid():
        return _show(http, resource, row, form, status=400)
    try:
        said = say_and_try(by=user, resource=resource, **form.cleaned_data)
    except PortalError as error:
        form.show(error)
        return _show(http, resource, row, form, status=error.status)
    messages.success(http, "From now on a restored copy is asked that.")
    if said.trial:
        return redirect("trial", said.trial.pk)
    if said.not_tried:
        messages.warning(http, f"It was not tried. {said.not_tried}")
    return redirect(resource)


@require_POST
def asking_remove(http: HttpRequest, pk: int) -> HttpResponse:
    """Ask it no longer."""
    user = person(http)
    resource = resource_or_404(user, pk)
    check_can_say_how_to_ask(user, resource)
    form = _remove_form(http.POST)
    form.full_clean()
    try:
        stop_asking(by=user, resource=resource, **form.cleaned_data)
    except PortalError as error:
        form.show(error)
        row = ApplicationCheck.objects.filter(resource=resource).first()
        return _show(http, resource, row, _form_of(resource, row), form, status=error.status)
    messages.success(http, "A restored copy is no longer asked: trials end with the comparison.")
    return redirect(resource)


def _form_of(resource: Resource, row: ApplicationCheck | None) -> AskingForm:
    by_sql = driver_of(resource.kind).answers
    way = Asking.SQL if by_sql else Asking.HTTP
    asked = {"way": row.way, "text": row.text, "seconds": row.seconds} if row else {"way": way}
    return AskingForm(initial=asked, by_sql=by_sql)


def _remove_form(data: QueryDict | None = None) -> ReasonForm:
    return ReasonForm(data, auto_id="id-remove-%s")


def _show(
    http: HttpRequest,
    resource: Resource,
    row: ApplicationCheck | None,
    form: SentenceForm,
    remove: SentenceForm | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    context = {
        "resource": resource,
        "row": row,
        "form": form,
        "remove_form": remove or _remove_form(),
        "placeholders": placeholders_of(resource.kind),
        "why_not_try": refusal(check_can_try, person(http), resource, newest_good(resource)),
    }
    return render(http, "checkups/asking.html", context, status=status)
