"""Addresses below /api/ where there is nothing, said in the API's way."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from portal.api.views import Recorded
from portal.errors import PortalError


class NoSuchAddress(PortalError):
    """Nothing answers there."""

    status = 404


@extend_schema(exclude=True)
class NothingHere(Recorded):
    """404 whatever the method."""

    authentication_classes = []
    permission_classes = [AllowAny]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer every method alike."""
        request.method = "GET"
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: Request) -> None:
        """There is nothing."""
        raise NoSuchAddress(
            "There is nothing at this address. Addresses end with a slash; /api/schema/ and /api/docs/ list them."
        )
