"""Handing out a finished export."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from portal.errors import PortalError
from restores.actions.downloads import open_export
from restores.handing_out import handed_out
from restores.views.fetching import person, request_or_404
from restores.views.request_page import show_request


@require_GET
def request_download(http: HttpRequest, pk: int) -> HttpResponseBase:
    """The export as an attachment, streamed as it is stored, with its SHA-256 in a header."""
    found = request_or_404(person(http), pk)
    try:
        download = open_export(by=person(http), request=found)
    except PortalError as error:
        return show_request(http, found, status=error.status, sentence=error.sentence)
    return handed_out(download.file, name=download.name, size=download.size, checksum=download.checksum)
