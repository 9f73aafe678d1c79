"""A checkup as PDF for people, as JSON and CSV for machines."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_safe

from backups.views.resources import signed_in
from checkups.exports import csv_of_checks, json_answer
from checkups.models import Checkup
from checkups.paper import pdf_answer


@require_safe
def pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The document."""
    user = signed_in(request)
    return pdf_answer(user, get_object_or_404(Checkup.objects.visible_to(user), pk=pk), timezone.now())


@require_safe
def json(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """The record."""
    user = signed_in(request)
    return json_answer(user, get_object_or_404(Checkup.objects.visible_to(user), pk=pk))


@require_safe
def csv(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """A line per check."""
    user = signed_in(request)
    return csv_of_checks(user, get_object_or_404(Checkup.objects.visible_to(user), pk=pk))
