"""Filters of the lists."""

from __future__ import annotations

from django_filters import rest_framework as filters

from backups.kinds import KINDS, REGIONS
from backups.models import Backup, BackupStatus, Environment, Resource, ResourceState
from backups.models.backup import BackupQuerySet
from backups.models.resource import ResourceQuerySet
from portal.api.filters import IdFilter, choice


class ResourceFilters(filters.FilterSet):  # type: ignore[misc]  # the library has no types
    """Filters of the list of resources."""

    client = IdFilter("application__client", help_text="A client's id.")
    application = IdFilter("application", help_text="An application's id.")
    kind = choice("kind", KINDS)
    environment = choice("environment", Environment.values)
    region = choice("home_region", REGIONS)
    state = choice("state", ResourceState.values, help_text="Left out: all but the removed ones.")
    search = filters.CharFilter(method="matching", help_text="Words in the names of resource, application or client.")

    class Meta:
        model = Resource
        fields: list[str] = []

    def filter_queryset(self, found: ResourceQuerySet) -> ResourceQuerySet:
        """The rows asked for; removed resources only when their state is."""
        chosen: ResourceQuerySet = super().filter_queryset(found)
        return chosen if self.form.cleaned_data["state"] else chosen.standing()

    def matching(self, found: ResourceQuerySet, name: str, words: str) -> ResourceQuerySet:
        """The resources in whose names every word occurs."""
        return found.named(words)


class BackupFilters(filters.FilterSet):  # type: ignore[misc]  # the library has no types
    """Filters of the list of backups."""

    resource = IdFilter("resource", help_text="A resource's id.")
    status = choice("status", BackupStatus.values)
    stored = choice("deleted_at", ["true", "false"], method="is_stored", help_text="Whether anything of it is stored.")

    class Meta:
        model = Backup
        fields: list[str] = []

    def is_stored(self, found: BackupQuerySet, name: str, value: str) -> BackupQuerySet:
        """Finished with a copy left, or not."""
        return found.stored() if value == "true" else found.exclude(pk__in=found.stored())
