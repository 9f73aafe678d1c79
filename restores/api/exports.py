"""Exports of charges over the API, for programs that fetch them."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.inputs import Input
from portal.api.outputs import NameField
from portal.api.views import RecordedViewSet
from restores.actions.exporting import export_charges
from restores.ledger import COLUMNS
from restores.models import ChargeExport


class ChargeExportOut(serializers.ModelSerializer[ChargeExport]):
    """An export. ``rows`` hold the lines, each a list of texts in the order of ``columns``."""

    number = serializers.CharField()
    created_by = NameField()
    columns = serializers.SerializerMethodField()
    rows = serializers.ListField(child=serializers.ListField(child=serializers.CharField()))
    totals = serializers.DictField(child=serializers.CharField(), help_text="By currency; decimals as text.")

    class Meta:
        model = ChargeExport
        fields = ["id", "number", "created_at", "created_by", "count", "totals", "checksum", "columns", "rows"]

    def get_columns(self, export: ChargeExport) -> list[str]:
        """The names of the columns."""
        return list(COLUMNS)


class Exporting(Input):
    """Until when is exported."""

    through = serializers.DateField(help_text="The last day of decisions, in the company's time zone.")


@extend_schema_view(list=extend_schema(summary="Exports that you see"), retrieve=extend_schema(summary="One export"))
class ChargeExportViews(mixins.ListModelMixin, mixins.RetrieveModelMixin, RecordedViewSet[ChargeExport]):
    """Exports of charges."""

    queryset = ChargeExport.objects.none()
    serializer_class = ChargeExportOut

    def get_queryset(self) -> QuerySet[ChargeExport]:
        """One's own; all for who sees every client's charges."""
        return ChargeExport.objects.visible_to(self.request.user).select_related("created_by")

    @extend_schema(request=Exporting, responses={201: ChargeExportOut}, summary="Export charges (account manager)")
    def create(self, request: Request) -> Response:
        """Export what was charged and not exported yet."""
        body = Exporting(data=request.data)
        body.is_valid(raise_exception=True)
        made = export_charges(by=self.person, **body.validated_data)
        return Response(ChargeExportOut(made).data, status=201)
