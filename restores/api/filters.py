"""Filters of the lists."""

from __future__ import annotations

from django_filters import rest_framework as filters

from backups.drivers.base import Mode
from portal.api.filters import IdFilter, choice
from restores.models import Charge, ChargeStatus, RestoreRequest
from restores.workflow import Status


class RequestFilters(filters.FilterSet):  # type: ignore[misc]  # the library has no types
    """Filters of the list of requests."""

    client = IdFilter("client", help_text="A client's id.")
    resource = IdFilter("resource", help_text="A resource's id.")
    status = choice("status", Status)
    mode = choice("mode", Mode)

    class Meta:
        model = RestoreRequest
        fields: list[str] = []


class ChargeFilters(filters.FilterSet):  # type: ignore[misc]  # the library has no types
    """Filters of the list of charges."""

    client = IdFilter("client", help_text="A client's id.")
    status = choice("status", ChargeStatus.values)

    class Meta:
        model = Charge
        fields: list[str] = []
