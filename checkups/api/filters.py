"""Filters of the lists."""

from __future__ import annotations

from django_filters import rest_framework as filters

from backups.kinds import KINDS
from checkups.models import Checkup, CheckupFinding
from checkups.models.finding import FindingStatus
from checkups.workflow import Status
from portal.api.filters import IdFilter, choice


class CheckupFilters(filters.FilterSet):  # type: ignore[misc]  # the library has no types
    """Filters of the list of checkups."""

    status = choice("status", Status)

    class Meta:
        model = Checkup
        fields: list[str] = []


class CheckupFindingFilters(filters.FilterSet):  # type: ignore[misc]  # the library has no types
    """Filters of what a checkup found."""

    result = choice("status", FindingStatus.values)
    client = IdFilter("client_ref", help_text="A client's id.")
    kind = choice("kind", KINDS)

    class Meta:
        model = CheckupFinding
        fields: list[str] = []
