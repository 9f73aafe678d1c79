"""Restore requests: seen through what the person may see, moved by the same actions as on the pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db.models import Prefetch, QuerySet
from django.http import FileResponse, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.exceptions import MethodNotAllowed, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from backups.drivers.base import Mode
from backups.models import Copy
from portal.api.inputs import Input, Nothing, WithReason
from portal.api.uploading import Multipart, TakesFiles
from portal.api.views import RecordedViewSet
from restores.actions.consenting import accept, decline
from restores.actions.conversing import Upload, open_attachment, say
from restores.actions.correcting import correct_cause
from restores.actions.deciding import approve, cancel, reject, retry
from restores.actions.downloads import open_export
from restores.actions.filing import file_request
from restores.actions.inbox import follow, unfollow
from restores.actions.keeping import extend_kept
from restores.actions.scheduling import reschedule
from restores.actions.stopping import request_stop
from restores.actions.undoing import request_undo
from restores.api.conversation import AttachmentIn, CommentIn
from restores.api.filters import RequestFilters
from restores.api.inputs import Acceptance, Correction, Decision, Extension, Filing, Start, backup_seen_by
from restores.api.serializers import RequestOut, RequestWhole
from restores.charging import Cause
from restores.details import DETAIL_LABELS, Details
from restores.handing_out import handed_out
from restores.models import Attachment, Comment, RestoreRequest
from restores.record import record_answer


@extend_schema_view(
    list=extend_schema(summary="Restore requests that you see", responses=RequestOut(many=True)),
    retrieve=extend_schema(summary="One restore request, whole"),
)
class RequestViews(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, RecordedViewSet[RestoreRequest], TakesFiles[RestoreRequest]
):
    """Restore requests."""

    queryset = RestoreRequest.objects.none()
    serializer_class = RequestWhole
    filterset_class = RequestFilters

    def get_queryset(self) -> QuerySet[RestoreRequest]:
        """Those that the person sees, with what their answer needs."""
        seen = RestoreRequest.objects.visible_to(self.request.user)
        seen = seen.select_related(
            "client", "resource__application__client", "backup__resource", "filed_by", "decided_by", "incident"
        )
        present = Prefetch("backup__copies", Copy.objects.present(), to_attr="present_copies")
        if self.action == "list":
            return seen.prefetch_related("attempts", present)
        comments = Comment.objects.visible_to(self.request.user).select_related("by")
        attachments = Attachment.objects.visible_to(self.request.user).select_related("by")
        seen = seen.prefetch_related(Prefetch("comments", comments)).prefetch_related(
            Prefetch("attachments", attachments)
        )
        return seen.prefetch_related(
            present,
            "consents__given_by",
            "events__by",
            "attempts__steps",
            "attempts__asked_by",
        )

    def most_bytes(self) -> int:
        """How large an attachment may be."""
        return int(settings.ATTACHMENT_BYTES)

    def get_serializer_class(self) -> type[RequestOut]:
        """Lists are shorter."""
        return RequestOut if self.action == "list" else RequestWhole

    def get_serializer_context(self) -> dict[str, Any]:
        """With the moment of the answer: one ``now`` for all of it."""
        return {**super().get_serializer_context(), "now": timezone.now()}

    @extend_schema(request=Filing, responses={201: RequestWhole}, summary="File a restore request")
    def create(self, request: Request) -> Response:
        """Ask for a restore. IT approves it or rejects it; nobody approves their own."""
        body = Filing(data=request.data)
        body.is_valid(raise_exception=True)
        entered = body.validated_data
        backup = backup_seen_by(request.user, entered["backup"])
        mode, cause = Mode(entered["mode"]), Cause(entered["cause"])
        filed = file_request(
            by=self.person,
            backup=backup,
            mode=mode,
            reason=entered["reason"],
            cause=cause,
            accepts=entered["accepts"],
            details=Details(**{name: entered[name] for name in DETAIL_LABELS}),
            part=entered.get("part"),
        )
        self.kwargs["pk"] = filed.pk
        return self._told(201)

    @extend_schema(request=Acceptance, responses=RequestWhole, summary="Accept the estimate (the client)")
    @action(methods=["post"], detail=True)
    def accept(self, request: Request, pk: int) -> Response:
        """Accept exactly the price that you read; then IT reviews the request."""
        return self._move(request, accept, Acceptance)

    @extend_schema(request=WithReason, responses=RequestWhole, summary="Decline the estimate (the client)")
    @action(methods=["post"], detail=True)
    def decline(self, request: Request, pk: int) -> Response:
        """Decline the price: the request is closed."""
        return self._move(request, decline, WithReason)

    @extend_schema(request=Correction, responses=RequestWhole, summary="Correct the cause (IT)")
    @action(methods=["post"], detail=True)
    def correct(self, request: Request, pk: int) -> Response:
        """Give the request its true cause. What becomes dearer asks the client again."""
        return self._move(request, _correct, Correction)

    @extend_schema(request=Decision, responses=RequestWhole, summary="Approve (IT)")
    @action(methods=["post"], detail=True)
    def approve(self, request: Request, pk: int) -> Response:
        """Approve exactly the plan that you read; the restore starts by itself."""
        return self._move(request, approve, Decision)

    @extend_schema(request=Decision, responses=RequestWhole, summary="Approve another attempt (IT)")
    @action(methods=["post"], detail=True)
    def retry(self, request: Request, pk: int) -> Response:
        """After a failure: a new approval, by the same rules."""
        return self._move(request, retry, Decision)

    @extend_schema(request=WithReason, responses=RequestWhole, summary="Reject (IT)")
    @action(methods=["post"], detail=True)
    def reject(self, request: Request, pk: int) -> Response:
        """Reject with a reason, which the people of the request read."""
        return self._move(request, reject, WithReason)

    @extend_schema(request=WithReason, responses=RequestWhole, summary="Cancel (who filed it, IT)")
    @action(methods=["post"], detail=True)
    def cancel(self, request: Request, pk: int) -> Response:
        """Cancel before it runs, or close it after it failed."""
        return self._move(request, cancel, WithReason)

    @extend_schema(
        request=WithReason, responses={202: RequestWhole}, summary="Stop it while it runs (who filed it, IT)"
    )
    @action(methods=["post"], detail=True)
    def stop(self, request: Request, pk: int) -> Response:
        """It writes no further and tidies up; the live data is as before."""
        return self._move(request, request_stop, WithReason, 202)

    @extend_schema(request=Start, responses=RequestWhole, summary="Change when it starts (IT)")
    @action(methods=["post"], detail=True)
    def schedule(self, request: Request, pk: int) -> Response:
        """Say when an approved restore starts."""
        return self._move(request, reschedule, Start)

    @extend_schema(request=Extension, responses=RequestWhole, summary="Keep longer what it left (IT)")
    @action(methods=["post"], detail=True)
    def extend(self, request: Request, pk: int) -> Response:
        """Keep the original, what stands beside, or the export for longer."""
        return self._move(request, extend_kept, Extension)

    @extend_schema(request=WithReason, responses={202: RequestWhole}, summary="Bring the original back (IT)")
    @action(methods=["post"], detail=True)
    def undo(self, request: Request, pk: int) -> Response:
        """Put the original back in place; it starts by itself."""
        return self._move(request, request_undo, WithReason, 202)

    @extend_schema(request=Nothing, responses=RequestWhole, summary="Be told of each change")
    @action(methods=["post"], detail=True)
    def follow(self, request: Request, pk: int) -> Response:
        """Follow it; whoever filed it or acted on it does already."""
        return self._move(request, follow, Nothing)

    @extend_schema(request=Nothing, responses=RequestWhole, summary="Be told no more of each change")
    @action(methods=["post"], detail=True)
    def unfollow(self, request: Request, pk: int) -> Response:
        """Follow it no more."""
        return self._move(request, unfollow, Nothing)

    @extend_schema(
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
        summary="Download a finished export (who filed it)",
    )
    @action(detail=True)
    def download(self, request: Request, pk: int) -> FileResponse:
        """The export. The header Repr-Digest carries its SHA-256."""
        if request.method == "HEAD":  # that it was fetched goes on the timeline, so it has to be
            raise MethodNotAllowed("HEAD")
        export = open_export(by=self.person, request=self.get_object())
        return handed_out(export.file, name=export.name, size=export.size, checksum=export.checksum)

    @extend_schema(request=CommentIn, responses={201: RequestWhole}, summary="Comment on it")
    @action(methods=["post"], detail=True)
    def comments(self, request: Request, pk: int) -> Response:
        """Append a comment, or an internal note that the client never sees. Neither is ever changed or deleted."""
        found = self.get_object()
        body = CommentIn(data=request.data)
        body.is_valid(raise_exception=True)
        say(by=self.person, request=found, **body.validated_data)
        return self._told(201)

    @extend_schema(
        request={"multipart/form-data": AttachmentIn}, responses={201: RequestWhole}, summary="Attach a file to it"
    )
    @action(methods=["post"], detail=True, parser_classes=[Multipart])
    def attachments(self, request: Request, pk: int) -> Response:
        """Append a file. It is never changed or deleted."""
        found = self.get_object()
        body = AttachmentIn(data=request.data)
        entered = body.is_valid()
        self.bounded.check_all_taken()
        if not entered:
            raise ValidationError(body.errors)
        file = body.validated_data["file"]
        internal = body.validated_data["internal"]
        say(by=self.person, request=found, files=[Upload(file.name, file.file)], internal=internal)
        return self._told(201)

    @extend_schema(
        parameters=[OpenApiParameter("attachment", OpenApiTypes.INT, OpenApiParameter.PATH)],
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
        summary="Fetch an attachment",
    )
    @action(detail=True, url_path="attachments/<int:attachment>")
    def attachment(self, request: Request, pk: int, attachment: int) -> FileResponse:
        """The file. The header Repr-Digest carries its SHA-256."""
        if request.method == "HEAD":
            raise MethodNotAllowed("HEAD")
        found = self.get_object()
        wanted = get_object_or_404(Attachment.objects.visible_to(request.user), request=found, pk=attachment)
        file = open_attachment(wanted)
        return handed_out(file, name=wanted.name, size=wanted.size, checksum=wanted.checksum)

    @extend_schema(
        responses={(200, "application/pdf"): OpenApiTypes.BINARY}, summary="The whole of it as a printable PDF"
    )
    @action(detail=True)
    def record(self, request: Request, pk: int) -> HttpResponse:
        """Plan, decisions, steps, proof, charge, conversation and timeline, as far as you see them."""
        return record_answer(self.get_object(), self.person, timezone.now())

    def _move(self, request: Request, move: Callable[..., Any], form: type[Input], status: int = 200) -> Response:
        found = self.get_object()
        body = form(data=request.data)
        body.is_valid(raise_exception=True)
        move(by=self.person, request=found, **body.validated_data)
        return self._told(status)

    def _told(self, status: int) -> Response:
        return Response(self.get_serializer(self.get_object()).data, status=status)


def _correct(*, cause: str, **further: Any) -> RestoreRequest:
    return correct_cause(cause=Cause(cause), **further)
