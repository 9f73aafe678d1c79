"""Where to go from a page that says no: back to where the person came from, and to what the address is about."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.core.exceptions import DisallowedHost
from django.http import Http404, HttpRequest
from django.urls import resolve, reverse
from django.utils.http import url_has_allowed_host_and_scheme

ABOUT = {
    "resource": "To the resource",
    "backup": "To the backup",
    "request": "To the request",
    "charge": "To the charge",
    "incident": "To the incident",
    "resources": "To the resources",
    "requests": "To the requests",
    "incidents": "To the incidents",
}
"""Pages above others that whoever sees the one sees too, and the words of a link there."""


def page_before(request: HttpRequest, *, also_this: bool = False) -> str:
    """The portal's page from which the person came; empty when it was another site's.

    Also when it was this very address, unless ``also_this``: it would say no again.
    """
    came_from = request.headers.get("referer", "")
    try:
        safe = url_has_allowed_host_and_scheme(came_from, {request.get_host()}, require_https=request.is_secure())
        same = came_from == request.build_absolute_uri()
    except DisallowedHost:
        return ""
    return came_from if safe and (also_this or not same) else ""


def page_above(request: HttpRequest) -> tuple[str, str] | None:
    """The nearest page above this address that is named in :data:`ABOUT`, and the words of a link there."""
    parts = request.path_info.strip("/").split("/")
    for length in range(len(parts) - 1, 0, -1):
        try:
            found = resolve(f"/{'/'.join(parts[:length])}/")
        except Http404:
            continue
        if found.url_name in ABOUT:
            return reverse(found.view_name, args=found.args, kwargs=found.kwargs), ABOUT[found.url_name]
    return None


def ways_from(request: HttpRequest, *, also_this: bool = False, above: bool = True) -> list[tuple[str, str]]:
    """The links of a page that says no, as (address, words), the best first; the start is always among them."""
    before, higher = page_before(request, also_this=also_this), page_above(request) if above else None
    found = [higher] if higher else []
    if before and not (higher and urlsplit(before).path == higher[0]):
        found.insert(0, (before, "Back to the page"))
    return [*found, (reverse("start"), "To the start")]
