"""Filters of the lists."""

from __future__ import annotations

from django.db.models import QuerySet
from django_filters import rest_framework as filters

from backups.kinds import KINDS
from checkups.models import Checkup, CheckupFinding, Task
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


class TaskFilters(filters.FilterSet):  # type: ignore[misc]  # the library has no types
    """Filters of the list of tasks."""

    open = choice("done_at", ["true", "false"], method="is_open", help_text="Whether it is still to be done.")
    owner = filters.CharFilter("owner__username", help_text="Its owner's username.")
    checkup = IdFilter("finding__checkup", help_text="A checkup's id.")
    resource = IdFilter("finding__resource", help_text="A resource's id.")

    class Meta:
        model = Task
        fields: list[str] = []

    def is_open(self, found: QuerySet[Task], name: str, value: str) -> QuerySet[Task]:
        """Those that are not done, or those that are."""
        return found.filter(done_at__isnull=value == "true")
