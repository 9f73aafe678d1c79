"""Clients and their applications, as far as the person sees them: what registering a resource refers to."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers

from portal.api.filters import IdFilter
from portal.api.views import RecordedViewSet
from portal.entered import search_words
from portal.models import Application, Client
from portal.permissions import visible
from portal.roles import Permission


class ClientOut(serializers.ModelSerializer[Client]):
    """A client."""

    class Meta:
        model = Client
        fields = ["id", "name"]


class ApplicationOut(serializers.ModelSerializer[Application]):
    """An application with its client."""

    client = ClientOut()

    class Meta:
        model = Application
        fields = ["id", "name", "client"]


class NameFilter(filters.CharFilter):  # type: ignore[misc]  # the library has no types
    """Rows in whose name every word occurs."""

    def filter(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        """The rows; all of them when nothing is searched for."""
        for word in search_words(value or ""):
            rows = rows.filter(name__icontains=word)
        return rows


class ClientFilters(filters.FilterSet):  # type: ignore[misc]  # the library has no types
    """Filters of the list of clients."""

    search = NameFilter(help_text="Words in the name.")


class ApplicationFilters(filters.FilterSet):  # type: ignore[misc]  # the library has no types
    """Filters of the list of applications."""

    client = IdFilter("client", help_text="A client's id.")
    search = NameFilter(help_text="Words in the name.")


@extend_schema_view(list=extend_schema(summary="Clients that you see"), retrieve=extend_schema(summary="One client"))
class ClientViews(mixins.ListModelMixin, mixins.RetrieveModelMixin, RecordedViewSet[Client]):
    """Clients whose resources the person sees."""

    queryset = Client.objects.none()
    serializer_class = ClientOut
    filterset_class = ClientFilters

    def get_queryset(self) -> QuerySet[Client]:
        """Those that the person sees."""
        return Client.objects.filter(visible(self.request.user, Permission.VIEW_RESOURCES, "pk"))


@extend_schema_view(
    list=extend_schema(summary="Applications that you see"), retrieve=extend_schema(summary="One application")
)
class ApplicationViews(mixins.ListModelMixin, mixins.RetrieveModelMixin, RecordedViewSet[Application]):
    """Applications whose resources the person sees."""

    queryset = Application.objects.none()
    serializer_class = ApplicationOut
    filterset_class = ApplicationFilters

    def get_queryset(self) -> QuerySet[Application]:
        """Those that the person sees."""
        seen = visible(self.request.user, Permission.VIEW_RESOURCES, "client")
        return Application.objects.filter(seen).select_related("client")
