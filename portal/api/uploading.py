"""Files over the API, as multipart/form-data: bounded before anything of them is read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import IO, Any, Generic, TypeVar

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db.models import Model
from django.http import HttpRequest
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.viewsets import GenericViewSet

from portal.uploads import Bounded, TooLarge

Row = TypeVar("Row", bound=Model)


class Multipart(MultiPartParser):
    """DRF's parser, whose refusals are sentences."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The fields and files. Raises :class:`TooLarge` or DRF's ParseError."""
        try:
            return super().parse(stream, media_type, parser_context)
        except (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent) as error:
            raise TooLarge("That is too much at once. Send one file, and little else.") from error


class TakesFiles(GenericViewSet[Row], ABC, Generic[Row]):
    """A viewset some of whose actions are sent a file: they have ``parser_classes=[Multipart]``."""

    bounded: Bounded

    @abstractmethod
    def most_bytes(self) -> int:
        """How large a file may be."""

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """Bound what is sent before it is looked at: a session's CSRF token may stand in it."""
        self.bounded = Bounded(request, most_each=self.most_bytes(), most_files=1)
        request.upload_handlers = [self.bounded]
        return super().initialize_request(request, *args, **kwargs)
