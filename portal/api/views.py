"""What every view of the API shares: JSON, who acts, strict queries and bodies."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, Generic, TypeVar, cast

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from portal.api.authentication import AUTHENTICATION
from portal.api.described import Described
from portal.api.parsing import Json, JsonAlways
from portal.history import acting
from portal.models import User

Row = TypeVar("Row", bound=Model)


class Recorded(APIView):
    """A view whose changes are recorded under the person whom DRF authenticated.

    The middleware cannot know them: a token is read inside the view.
    """

    authentication_classes = AUTHENTICATION
    parser_classes = [Json]
    schema = Described()
    content_negotiation_class = JsonAlways
    http_method_names = ["get", "post", "head"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer; what ``initial`` opened is closed afterwards, whatever happened."""
        with ExitStack() as self.recording:
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticate, then act as that person."""
        super().initial(request, *args, **kwargs)
        self.recording.enter_context(acting(request.user))

    @property
    def person(self) -> User:
        """Who asks. Only for views that need a signed-in person."""
        return cast(User, self.request.user)


class StrictFilters(DjangoFilterBackend):  # type: ignore[misc]  # the library has no types
    """A list's filters; a parameter that is none of them is refused, so that a typing error never widens a list."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Row], view: Any) -> QuerySet[Row]:
        """The rows asked for. One thing is there or not, whatever the query says: filters are for lists."""
        if view.action != "list":
            return queryset
        known = self._names(view)
        for name in request.query_params:
            if name not in known:
                raise ValidationError({name: [f"There is no filter “{name}” here. Use: {', '.join(known)}."]})
        return cast("QuerySet[Row]", super().filter_queryset(request, queryset, view))

    def _names(self, view: Any) -> list[str]:
        filters = self.get_filterset_class(view)
        paging = cast(CursorPagination, view.paginator)
        return [
            *(filters.base_filters if filters else ()),
            paging.cursor_query_param,
            str(paging.page_size_query_param),
        ]


class RecordedViewSet(Recorded, GenericViewSet[Row], Generic[Row]):
    """The base of the viewsets: rows by whole-number id, fetched through what the person may see."""

    lookup_value_converter = "int"
    filter_backends = [StrictFilters]
