"""Charges over the API: read by those who may, decided by the account manager."""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from backups.api.serializers import ResourceName
from portal.api.clients import ClientOut
from portal.api.inputs import WithReason
from portal.api.outputs import NameField
from portal.api.views import RecordedViewSet
from portal.rules import refusal
from restores.actions.charges import adjust_charge, confirm_charge, reopen_charge, waive_charge
from restores.api.amounts import AmountField
from restores.api.filters import ChargeFilters
from restores.details import DETAIL_LABELS
from restores.models import Charge, RestoreRequest
from restores.money_permissions import check_can_decide_charge, check_can_reopen_charge


class DocumentedRequest(serializers.ModelSerializer[RestoreRequest]):
    """The documented request that a charge is about."""

    number = serializers.CharField()
    resource = ResourceName()
    filed_by = NameField()

    class Meta:
        model = RestoreRequest
        fields = ["id", "number", "resource", "mode", "reason", *DETAIL_LABELS, "cause", "filed_at", "filed_by"]


class ChargeOut(serializers.ModelSerializer[Charge]):
    """A finished restore that may be charged."""

    request = DocumentedRequest()
    client = ClientOut()
    decided_by = NameField(allow_null=True)
    can = serializers.SerializerMethodField(help_text="For each move null when you may, else why not.")

    class Meta:
        model = Charge
        fields = [
            "id",
            "status",
            "client",
            "request",
            "created_at",
            "currency",
            "estimated",
            "amount",
            "export",
            "decided_at",
            "decided_by",
            "reason",
            "can",
        ]

    def get_can(self, charge: Charge) -> dict[str, str | None]:
        """The refusing sentences."""
        sentence = refusal(check_can_decide_charge, self.context["request"].user, charge) or None
        reopen = refusal(check_can_reopen_charge, self.context["request"].user, charge) or None
        return {"confirm": sentence, "adjust": sentence, "waive": sentence, "reopen": reopen}


class Adjustment(WithReason):
    """What is charged instead of what was accepted."""

    amount = AmountField(max_digits=12, decimal_places=2, help_text="In the charge's currency.")


@extend_schema_view(list=extend_schema(summary="Charges that you see"), retrieve=extend_schema(summary="One charge"))
class ChargeViews(mixins.ListModelMixin, mixins.RetrieveModelMixin, RecordedViewSet[Charge]):
    """Charges."""

    queryset = Charge.objects.none()
    serializer_class = ChargeOut
    filterset_class = ChargeFilters

    def get_queryset(self) -> QuerySet[Charge]:
        """Those that the person sees."""
        seen = Charge.objects.visible_to(self.request.user)
        return seen.select_related("client", "decided_by", "request__resource", "request__filed_by")

    @extend_schema(request=WithReason, responses=ChargeOut, summary="Charge it (account manager)")
    @action(methods=["post"], detail=True)
    def confirm(self, request: Request, pk: int) -> Response:
        """Decide that the restore is charged."""
        return self._decide(request, confirm_charge)

    @extend_schema(request=Adjustment, responses=ChargeOut, summary="Charge less (account manager)")
    @action(methods=["post"], detail=True)
    def adjust(self, request: Request, pk: int) -> Response:
        """Charge less than was accepted."""
        return self._decide(request, adjust_charge, Adjustment)

    @extend_schema(request=WithReason, responses=ChargeOut, summary="Reopen it (account manager)")
    @action(methods=["post"], detail=True)
    def reopen(self, request: Request, pk: int) -> Response:
        """Take the decision back, as long as it was not exported."""
        return self._decide(request, reopen_charge)

    @extend_schema(request=WithReason, responses=ChargeOut, summary="Waive it (account manager)")
    @action(methods=["post"], detail=True)
    def waive(self, request: Request, pk: int) -> Response:
        """Decide that the restore is not charged."""
        return self._decide(request, waive_charge)

    def _decide(self, request: Request, decide: Callable[..., Charge], form: type[WithReason] = WithReason) -> Response:
        charge = self.get_object()
        body = form(data=request.data)
        body.is_valid(raise_exception=True)
        decide(by=self.person, charge=charge, **body.validated_data)
        return Response(self.get_serializer(self.get_object()).data)
