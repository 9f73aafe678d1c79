"""Saying something about a request, and fetching what was attached to it."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import RequestDataTooBig, TooManyFilesSent
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_POST

from portal.errors import PortalError
from portal.uploads import Bounded, TooLarge
from restores.actions.conversing import MOST_AT_ONCE, Upload, open_attachment, say
from restores.forms import SayForm
from restores.handing_out import handed_out
from restores.models import Attachment, RestoreRequest
from restores.views.fetching import person, request_or_404
from restores.views.request_page import show_request


@csrf_exempt  # the token is asked for in _said, once what is sent is bounded: reading it reads the files
@require_POST
def request_say(http: HttpRequest, pk: int) -> HttpResponse:
    """Append a comment, files, or both."""
    found = request_or_404(person(http), pk)
    bounded = Bounded(http, most_each=settings.ATTACHMENT_BYTES, most_files=MOST_AT_ONCE)
    http.upload_handlers = [bounded]
    try:
        return _said(http, found, bounded)
    except TooLarge as error:
        return show_request(http, found, status=error.status, sentence=error.sentence)
    except (RequestDataTooBig, TooManyFilesSent):
        return show_request(
            http, found, status=413, sentence="That is too much at once. Send fewer files, or less text."
        )


@csrf_protect
def _said(http: HttpRequest, found: RestoreRequest, bounded: Bounded) -> HttpResponse:
    form = SayForm(http.POST, http.FILES)
    status = 400
    if form.is_valid():
        try:
            bounded.check_all_taken()
            files = [Upload(one.name or "", one.file) for one in form.cleaned_data["file"]]
            text, internal = form.cleaned_data["text"], form.cleaned_data["internal"]
            say(by=person(http), request=found, text=text, files=files, internal=internal)
        except PortalError as error:
            form.show(error)
            status = error.status
        else:
            messages.success(
                http, "Your internal note is kept." if internal else "What you said is kept with the request."
            )
            return redirect(f"{found.get_absolute_url()}#conversation")
    return show_request(http, found, status=status, saying=form)


@require_GET
def request_attachment(http: HttpRequest, pk: int, attachment: int) -> HttpResponseBase:
    """One file, to be saved; never shown inside the portal."""
    found = request_or_404(person(http), pk)
    wanted = get_object_or_404(Attachment.objects.visible_to(person(http)), request=found, pk=attachment)
    try:
        file = open_attachment(wanted)
    except PortalError as error:
        return show_request(http, found, status=error.status, sentence=error.sentence)
    return handed_out(file, name=wanted.name, size=wanted.size, checksum=wanted.checksum)
